"""The driver contract and the drivers that make real things: postgres, process, git.

The contract is portway.drivers.contract; concrete drivers are siblings that only bootstrap imports."""
