"""Learning: the recipe (free of torch), the loop, what is looked at on the way, and the export.

Threads that wait for each other should sleep, not spin, where other programs want the cores too: one step of seed 000's
network took 6.5 s with spinning threads on two busy cores, .23 s with sleeping ones. OpenMP reads the wish when torch
is loaded, so it stands here, before; who has set it otherwise keeps it so.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
