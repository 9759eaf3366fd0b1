"""heisen's hooks for CPython: found through PYTHONPATH, loaded by module site before the program.

HEISEN_PYTHON holds settings, NAME=VALUE separated by ";". What is drawn depends on the seed and on the
address of a decision alone: the thread's creation path, the kind of operation, the place in the program and
how often that thread was there. Nothing but time passes: no operation is changed, left out or put before
another. Written for CPython 3.8 and newer; imports next to nothing that the interpreter has not loaded already, since
every attempt pays for it.
"""

import sys

# Compiling the hooks takes longer than all else they do at a start. Their folder is heisen's own, so they are kept
# compiled there also where the user wants none of that in his own folders (PYTHONDONTWRITEBYTECODE).
_write, sys.dont_write_bytecode = sys.dont_write_bytecode, False
try:
    import heisen_begin
    heisen_begin.begin()
finally:
    sys.dont_write_bytecode = _write
heisen_begin.chain()
