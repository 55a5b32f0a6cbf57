"""The helpers of the symbolic world's tests (`worlds`) are imported by their names."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "symbolic"))
