# Alibaba Cloud's Cloud Assistant agent.
$Endpoint = "$Region.axt.aliyuncs.com"
$Package = 'https://aliyun-client-assist.oss-accelerate.aliyuncs.com/windows/aliyun_agent_latest_setup.exe'
# Where the agent keeps what it knows; its log, to which it writes the code, is below.
$AgentPlace = Join-Path $env:ProgramData 'aliyun\assist'

function Get-Agent {
    Get-ChildItem -Path (Join-Path $AgentPlace '*\aliyun_assist_service.exe') -ErrorAction SilentlyContinue |
        Sort-Object -Property LastWriteTime |
        Select-Object -Last 1 -ExpandProperty FullName
}

function Get-Identity {
    $Path = Join-Path $AgentPlace 'hybrid\instance-id'
    if (Test-Path -LiteralPath $Path) { (Get-Content -LiteralPath $Path -Raw).Trim() }
}

# The installer registers too. It returns before it has done so.
function Install-Agent {
    $Setup = Join-Path $Scratch 'aliyun_agent_latest_setup.exe'
    Invoke-WebRequest -UseBasicParsing -Uri $Package -OutFile $Setup
    $Arguments = '/S', '--register', "--RegionId=`"$Region`"", "--ActivationCode=`"$Code`"", "--ActivationId=`"$Id`""
    Start-Process -FilePath $Setup -ArgumentList $Arguments -Wait
    for ($Try = 0; $Try -lt 60 -and -not (Get-Identity); $Try++) { Start-Sleep -Seconds 5 }
}

# What the agent says: it ends with status 0 even where it fails.
function Invoke-Registration {
    & (Get-Agent) --register "--RegionId=$Region" "--ActivationCode=$Code" "--ActivationId=$Id" 2>&1 | Out-String
}

# The agent restarts its service by itself.
function Complete-Registration {
}

