"""The simulator: shipped code under virtual time, on a disk that tears and a network that lies.

One seed decides everything: the market, the faults, the instants of every kill and power loss, and
the order in which tasks run. So a failing seed is a bug that anybody can look at again.

loop        asyncio without a selector: time is virtual, order is decided, a process can be killed
disk        page cache and durable bytes; power loss tears, zero-fills and forgets
world       one machine: what survives a kill, and the seams it hands to each life of the process
"""
