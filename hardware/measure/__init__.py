"""Timings of a MoE layer's kernels on a device of your own, as rows that a fit can read.

Every call starts from operands that earlier calls have pushed out of the caches: a serving step
reads each weight once, so its weights come from memory. Launches by torch are part of a latency;
on an accelerator, rows of a few microseconds show the launch and not the kernel. On a CPU
the results and scratch memory of a call come fresh from the system, and their first touch counts.

torch is imported where it is needed, and by nothing else in this package.
"""

from hardware.measure.run import Measured, device_figures, measure
from hardware.measure.sweep import Sweep
from hardware.table import COLUMNS, SIZES_OF, read_rows, write_rows

__all__ = ["COLUMNS", "SIZES_OF", "Measured", "Sweep", "device_figures", "measure"]
__all__ += ["read_rows", "write_rows"]
