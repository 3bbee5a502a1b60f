"""Makes a Delta table of rows in files of equal size, ids rising from file to file. Arguments: the table, rows, files."""

import sys

from deltalake import write_deltalake

from rows import rows

path, count, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
size = count // files
for n in range(files):
    write_deltalake(path, rows(n * size, size), mode="append", target_file_size=1 << 40)
