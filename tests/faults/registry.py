"""What a fault is, and the list of them all; they stand in faults.py, link_faults.py and machine_faults.py."""

import os
import random
import signal
import time
from dataclasses import dataclass
from typing import Callable


@dataclass
class Fault:
    name: str
    do: Callable
    short: bool  # part of the selection that every run of the suite has
    pause_max: float  # seconds in which somebody may see nothing new
    door: bool  # clients come in through a proxy: cluster.last_door
    observers: int  # of each room
    clocks: tuple  # how many seconds those of senders are ahead, in turn
    missing: Callable  # why it cannot be had on this machine, or None


FAULTS = []


def fault(name, *, short=False, pause_max=12.0, door=False, observers=2, clocks=(0,), missing=lambda: None):
    def take(function):
        FAULTS.append(Fault(name, function, short, pause_max, door, observers, clocks, missing))
        return function

    return take


def needs_root():
    return None if os.geteuid() == 0 else "needs root"


def stop_for(cluster, name, seconds):
    cluster.kill(name, signal.SIGSTOP)
    time.sleep(seconds)
    cluster.kill(name, signal.SIGCONT)


def killed_for(cluster, name, seconds):
    cluster.kill(name)
    time.sleep(seconds)
    cluster.start(name)


def by_name(name):
    found = [each for each in FAULTS if each.name == name]
    found = found or [each for each in FAULTS if name in each.name]
    if not found:
        raise KeyError(f"no fault {name!r}; there are: " + "; ".join(f.name for f in FAULTS))
    return found[0]


def dice_of(seed, name):
    return random.Random(f"{seed} {name}")
