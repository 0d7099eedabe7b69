# What is the same for every cloud: join once, say what came of it, and leave no copy of the code.
# For Windows PowerShell 5.1 and later, as an administrator.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12

function Write-Outcome {
    param([string] $Text, [string] $Kind = 'INFORMATION')
    $Text = $Text.Replace($Code, '*' * $Code.Length)
    Write-Output "pulumi-hybrid: $Text"
    & eventcreate.exe /L APPLICATION /SO pulumi-hybrid /ID 1 /T $Kind /D $Text | Out-Null
}

# As many stars as the code is long, written where the code is: an agent may have its log open.
function Hide-Code {
    param([string] $Path)
    $Latin1 = [Text.Encoding]::GetEncoding(28591)
    $File = [IO.File]::Open($Path, 'Open', 'ReadWrite', 'ReadWrite')
    try {
        $Bytes = New-Object byte[] $File.Length
        $Read = $File.Read($Bytes, 0, $Bytes.Length)
        $Text = $Latin1.GetString($Bytes, 0, $Read)
        if ($Text.Contains($Code)) {
            $Clean = $Latin1.GetBytes($Text.Replace($Code, '*' * $Code.Length))
            $File.Position = 0
            $File.Write($Clean, 0, $Clean.Length)
        }
    }
    finally {
        $File.Dispose()
    }
}

function Clear-Code {
    if ($PSCommandPath) { Remove-Item -LiteralPath $PSCommandPath -Force }
    Remove-Item -LiteralPath $Scratch -Recurse -Force
    $Logs = Join-Path $env:ProgramFiles 'Cloudbase Solutions\Cloudbase-Init\log'
    foreach ($File in Get-ChildItem -Path $AgentPlace, $Logs -Recurse -File -Include '*.log*', '*.dat' -ErrorAction SilentlyContinue) {
        try {
            Hide-Code -Path $File.FullName
        }
        catch {
            Write-Outcome -Text "the code may still be in $($File.FullName): $_" -Kind 'WARNING'
        }
    }
}

function Test-Endpoint {
    $Client = New-Object Net.Sockets.TcpClient
    try {
        $Client.ConnectAsync($Endpoint, 443).Wait(10000)
    }
    catch {
        $false
    }
    finally {
        $Client.Dispose()
    }
}

function Join-Cloud {
    if (Get-Identity) {
        Write-Outcome -Text "this machine had joined before, as $(Get-Identity): nothing was registered"
        return
    }
    for ($Try = 1; -not (Test-Endpoint); $Try++) {
        if ($Try -ge 60) { throw "$Endpoint could not be reached" }
        Start-Sleep -Seconds 10
    }
    if (-not (Get-Agent)) {
        Install-Agent
        if (-not (Get-Agent)) { throw 'its agent could not be installed' }
    }
    for ($Try = 1; -not (Get-Identity); $Try++) {
        # Windows PowerShell makes an error of what a program writes to its error stream.
        $ErrorActionPreference = 'Continue'
        $Said = Invoke-Registration
        $ErrorActionPreference = 'Stop'
        if (Get-Identity) { break }
        Write-Outcome -Text "the agent said: $Said" -Kind 'WARNING'
        if ($Try -ge 3) { throw 'its agent could not register, see above' }
        Start-Sleep -Seconds 10
    }
    Complete-Registration
    Write-Outcome -Text "this machine joined $Region as $(Get-Identity)"
}

$Scratch = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
New-Item -ItemType Directory -Path $Scratch | Out-Null
$Status = 0
try {
    Join-Cloud
}
catch {
    $Status = 1
    Write-Outcome -Text "this machine did not join ${Region}: $_" -Kind 'ERROR'
}
finally {
    Clear-Code
}
exit $Status
