# Tencent Cloud's tat_agent.
$Endpoint = "$Region.invoke.tat-tc.tencent.cn"
$Package = 'https://invoke.tat-tc.tencent.cn/download?latest=true&arch=x86_64&system=windows'
# What it registered with is in config.dat, what it sent in its log.
$AgentPlace = Join-Path $env:ProgramFiles 'QCloud\tat_agent'

function Get-Agent {
    $Path = Join-Path $AgentPlace 'tat_agent.exe'
    if (Test-Path -LiteralPath $Path) { $Path }
}

function Get-Identity {
    $Path = Join-Path $AgentPlace 'config.dat'
    if (Test-Path -LiteralPath $Path) {
        (Get-Content -LiteralPath $Path -Raw | ConvertFrom-Json).register.instance_id
    }
}

function Install-Agent {
    $Archive = Join-Path $Scratch 'agent.zip'
    Invoke-WebRequest -UseBasicParsing -Uri $Package -OutFile $Archive
    Expand-Archive -LiteralPath $Archive -DestinationPath $Scratch -Force
    & (Join-Path $Scratch 'install.bat') | Out-String | Write-Output
}

# What the agent says; it takes the code in no other way than on its command line.
function Invoke-Registration {
    & (Get-Agent) register $Region $Id $Code 2>&1 | Out-String
}

# The agent reads what it registered as when it starts.
function Complete-Registration {
    Restart-Service -Name 'tatsvc' -Force
}

