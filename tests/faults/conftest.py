import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
names = ("faults", "crash", "e2e", "cluster")
sys.path[:0] = [str(TESTS.parent), *(str(TESTS / name) for name in names)]
