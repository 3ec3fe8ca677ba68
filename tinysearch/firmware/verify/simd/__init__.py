"""A model of the vector units of ESP32-S3 and ESP32-P4: runs the ``.S`` files that the chip runs, and counts.

``instructions.py`` says what an instruction is, ``assembly.py`` reads and checks a file, ``translate.py`` writes it as
C text for a compiler of this machine, ``model.h`` is what that text includes. ``machine.py`` calls single kernels,
``project.py`` is the rung of ``verify``. Not run on a chip or in an emulator here.
"""
