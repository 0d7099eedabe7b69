# Tencent Cloud's tat_agent.
host=$region.invoke.tat-tc.tencent.cn
package="https://invoke.tat-tc.tencent.cn/download?latest=true&arch=$(uname -m)&system=linux"
# The second is CoreOS's. What it registered with is in config.dat, what it sent in its log.
agent_places='/usr/local/qcloud/tat_agent /var/lib/qcloud/tat_agent'

find_agent() {
    for place in $agent_places; do
        agent=$place/tat_agent
        [ -x "$agent" ] && return 0
    done
    return 1
}

# Older agents keep register.dat, in base64.
identity() {
    for place in $agent_places; do
        cat "$place/config.dat" 2>/dev/null
        base64 -d "$place/register.dat" 2>/dev/null
    done | sed -n 's/.*"instance_id": *"\([^"]\{1,\}\)".*/\1/p'
}

install_agent() {
    download "$package" "$scratch/agent.zip" || return 1
    if command -v unzip >/dev/null; then
        unzip -qo "$scratch/agent.zip" -d "$scratch/agent"
    else
        python3 -m zipfile -e "$scratch/agent.zip" "$scratch/agent"
    fi || return 1
    bash "$scratch/agent/install.sh"
}

# The agent takes the code in no other way than on its command line.
register() {
    said=$("$agent" register "$region" "$id" "$code" 2>&1) || return 1
    case $said in
    *'register success'*) return 0 ;;
    esac
    return 1
}

# The agent reads what it registered as when it starts.
take_effect() {
    if command -v systemctl >/dev/null; then
        systemctl restart tat_agent
    else
        service tat_agent_service restart
    fi
}

forget_more() {
    for place in $agent_places; do
        if [ -f "$place/register.dat" ]; then
            kept=$(base64 -d "$place/register.dat")
            hidden "$kept" | base64 -w 0 >"$place/register.dat"
        fi
    done
}

