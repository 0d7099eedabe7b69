"""The vendors' APIs on one loopback port, for trying and testing without an account.

From a shell: `python -m pulumi_hybrid.emulator`. From Python:

    from pulumi_hybrid.emulator import Emulator

    with Emulator() as emulator:
        subprocess.run(["pulumi", "up", "--yes"], env={**os.environ, **emulator.environment})

It is written from the vendors' own pages and shares no code with the provider, so that neither can
hide the other's mistake.
"""

from .api import Account, ControlError, VendorError
from .emulator import Emulator

__all__ = ["Account", "ControlError", "Emulator", "VendorError"]
