# Alibaba Cloud's Cloud Assistant agent.
host=$region.axt.aliyuncs.com
packages=https://aliyun-client-assist.oss-accelerate.aliyuncs.com
# Where the agent keeps what it knows; its log, to which it writes the code, is below.
agent_places=/usr/local/share/aliyun-assist

find_agent() {
    agent=$(command -v aliyun-service)
}

identity() {
    cat /usr/local/share/aliyun-assist/hybrid/instance-id 2>/dev/null
}

install_agent() {
    case $(uname -m)/$(command -v dpkg || command -v rpm) in
    x86_64/*dpkg) package=linux/aliyun_assist_latest.deb ;;
    x86_64/*rpm) package=linux/aliyun_assist_latest.rpm ;;
    aarch64/*rpm) package=arm/aliyun-assist-latest-1.aarch64.rpm ;;
    *)
        tell "no package of the agent is known for this machine: give install_linux"
        return 1
        ;;
    esac
    download "$packages/$package" "$scratch/${package##*/}" || return 1
    case $package in
    *.deb) dpkg -i "$scratch/${package##*/}" ;;
    *) rpm -ivh --force "$scratch/${package##*/}" ;;
    esac
}

# The agent ends with status 0 even where it fails: what it says counts, and what it leaves.
register() {
    said=$("$agent" --register --RegionId "$region" --ActivationCode "$code" --ActivationId "$id" 2>&1)
    case $said in
    *'register ok'* | *'already register'*) return 0 ;;
    esac
    [ -n "$(identity)" ]
}

# The agent restarts its service by itself.
take_effect() {
    :
}

forget_more() {
    :
}

