"""Running programs without a container runtime: the node agent, its client, and the driver for type ``workload``.

``agent`` is a process of its own; nothing of the control plane is imported there, and workloads and jobs outlive both.
"""
