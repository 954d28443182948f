#!/usr/bin/env python3
"""Keeps what a debugger wants to know of a library that was linked and stripped, apart from it.

    keep-debug.py <library> <directory> <told> <compiler> [<argument> …]

The library is linked once more, with its symbols and debug information left in: all that is loaded into memory stays as it was, where it
was, which check-library.py --debug holds. Zig told in a file (ZIG_VERBOSE_LINK) what it ran as linker; the compiler's own runtime library
is to stay without debug information, which would name its place on this machine.

    ELF     <directory>/.build-id/xx/….debug, where gdb, perf and others find it by the library's build id
    PE      <directory>/<library>.debug, the whole library with DWARF in it
    Mach-O  <directory>/<library>.dSYM, made by LLVM's dsymutil of what this linker leaves in the objects
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD_ID = re.compile(rb'\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0(.{20})', re.DOTALL)
UUID = re.compile(rb'\x1b\0\0\0\x18\0\0\0(.{16})', re.DOTALL) # the load command


def run(*command):
    subprocess.run(command, check=True)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def elf(library, directory, told, _, copy):
    # Zig hands no wish for a build id on: the library gets its own here.
    run(os.environ['ZIG'], *told, '--build-id=sha1')
    build_id = BUILD_ID.search(read(library)).group(1).hex()
    told.remove('-s')
    run(os.environ['ZIG'], *[copy if argument == library else argument for argument in told], '--build-id=0x' + build_id)
    os.makedirs(os.path.join(directory, '.build-id', build_id[:2]))
    shutil.move(copy, os.path.join(directory, '.build-id', build_id[:2], build_id[2:] + '.debug'))


def pe(library, directory, told, _, copy):
    told = [argument for argument in told if not argument.startswith('-IMPLIB:')] + ['-IMPLIB:' + copy + '.lib']
    # Where debug information is kept, it keeps what nobody calls too, unless told not to.
    run(os.environ['ZIG'], *['-OUT:' + copy if argument == '-OUT:' + library else argument for argument in told], '-DEBUG:DWARF', '-OPT:REF')
    shutil.move(copy, os.path.join(directory, os.path.basename(library) + '.debug'))


def mach_o(library, directory, _, compiler, copy):
    run(*[copy if argument == library else argument for argument in compiler])
    # It made up a UUID for the copy.
    content, uuid = read(copy), UUID.search(read(library)).group(1)
    with open(copy, 'wb') as file:
        file.write(UUID.sub(lambda own: own.group()[:8] + uuid, content, count=1))
    # Of which object each symbol is: without the runtime library's.
    objects = subprocess.run(['dsymutil', '--dump-debug-map', copy], check=True, stdout=subprocess.PIPE, text=True).stdout
    head, *objects = re.split(r'(?m)^(?=  - filename:|\.\.\.$)', objects)
    kept = [part for part in objects if '/zig-cache/' not in part.split('\n')[0]]
    name = os.path.basename(library)
    objects = os.path.join(os.path.dirname(copy), 'objects', name) # what is made of it has its name
    os.mkdir(os.path.dirname(objects))
    with open(objects, 'w') as file:
        file.write(head + ''.join(kept))
    run('dsymutil', '-y', '-o', os.path.join(directory, name + '.dSYM'), objects)


def main(library, directory, told, *compiler):
    with open(told) as file:
        command = next(line.split() for line in file if ' -o ' in line or ' -OUT:' in line)
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    with tempfile.TemporaryDirectory() as scratch:
        keep = {'ld.lld': elf, 'lld-link': pe, 'zig': mach_o}[command[0]]
        keep(library, directory, command, compiler, os.path.join(scratch, os.path.basename(library)))


if __name__ == '__main__':
    main(*sys.argv[1:])
