"""What ``lockdown.windows`` believes about functions, structures and constants, compared with Windows' own headers.

A C compiler for Windows reads the headers of MinGW-w64 and then our declarations: a function that is declared
otherwise, a structure laid out otherwise or a constant with another value does not compile. Nothing is run.
"""

import ctypes
import inspect
import shutil
import subprocess
from pathlib import Path

import pytest

from lockdown import prototypes
from lockdown.windows import binary, constants
from lockdown.windows.functions import PROTOTYPES, parameters_of, result_of

COMPILER = "x86_64-w64-mingw32-gcc"
HEADERS = """
#define WINVER 0x0A00
#define _WIN32_WINNT 0x0A00
#include <stddef.h>
#include <windows.h>
#include <dwmapi.h>
#include <powrprof.h>
#include <cfgmgr32.h>
#include <winver.h>
#include <wintrust.h>
#include <softpub.h>
#include <wincrypt.h>
#include <winioctl.h>
"""
# Structures of which we declare only the beginning, because only that is read.
ONLY_THE_BEGINNING = {"CRYPT_PROVIDER_CERT"}
OWN_FIELDS = ("_",)


@pytest.fixture(scope="module")
def compiler() -> str:
    found = shutil.which(COMPILER)
    if found is None:
        pytest.skip(f"{COMPILER} is not installed")
    return found


def _complaints(compiler: str, folder: Path, text: str) -> str:
    source = folder / "declarations.c"
    source.write_text(HEADERS + text, encoding="utf-8")
    command = [compiler, "-std=c11", "-fsyntax-only", "-Wno-attributes", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return "" if done.returncode == 0 else done.stderr


def _structures() -> list[type[ctypes.Structure]]:
    found = [kind for _, kind in inspect.getmembers(binary, inspect.isclass) if issubclass(kind, ctypes.Structure)]
    return [kind for kind in found if kind is not ctypes.Structure]


def test_functions_are_declared_as_in_the_headers(compiler: str, tmp_path: Path) -> None:
    lines = [f"{p.result} WINAPI {p.name}({', '.join(p.parameters) or 'void'});" for p in PROTOTYPES.values()]
    assert not _complaints(compiler, tmp_path, "\n".join(lines))


def test_the_types_of_functions_have_the_sizes_of_the_headers(compiler: str, tmp_path: Path) -> None:
    named = {name for p in PROTOTYPES.values() for name in (p.result, *p.parameters)} - {"void"}
    lines = [
        f'_Static_assert(sizeof({name}) == {ctypes.sizeof(binary.TYPES[name])}, "{name}");' for name in sorted(named)
    ]
    assert not _complaints(compiler, tmp_path, "\n".join(lines))


def test_structures_are_laid_out_as_in_the_headers(compiler: str, tmp_path: Path) -> None:
    lines = []
    for kind in _structures():
        name = kind.__name__
        if name not in ONLY_THE_BEGINNING:
            lines.append(f'_Static_assert(sizeof({name}) == {ctypes.sizeof(kind)}, "size of {name}");')
        for field in (row[0] for row in kind._fields_ if not row[0].startswith(OWN_FIELDS)):
            offset = getattr(kind, field).offset
            lines.append(f'_Static_assert(offsetof({name}, {field}) == {offset}, "{name}.{field}");')
    assert len(lines) > 60
    assert not _complaints(compiler, tmp_path, "\n".join(lines))


def test_constants_have_the_values_of_the_headers(compiler: str, tmp_path: Path) -> None:
    numbers = {name: value for name, value in vars(constants).items() if isinstance(value, int)}
    known = {name: value for name, value in numbers.items() if name.isupper()}
    lines = [
        f'_Static_assert((long long)(int)({name}) == (int){value:#x}, "{name}");'
        for name, value in (known | constants.ENUMERATED).items()
    ]
    assert len(lines) > 60
    assert not _complaints(compiler, tmp_path, "\n".join(lines))


def test_libraries_have_the_functions(compiler: str, tmp_path: Path) -> None:
    """The linker looks each function up in the import library of the DLL that we name."""
    source = tmp_path / "calls.c"
    table = ", ".join(f"(void *){name}" for name in PROTOTYPES)
    source.write_text(f"{HEADERS}\nvoid *table[] = {{{table}}};\nint main(void) {{ return table[0] == 0; }}\n")
    wanted = sorted({p.library for p in PROTOTYPES.values()})
    command = [compiler, "-nodefaultlibs", str(source), "-o", str(tmp_path / "calls.exe")]
    command += ["-lmingw32", "-lgcc", "-lmoldname", "-lmingwex", "-lmsvcrt", *(f"-l{name}" for name in wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_declaration_that_is_wrong_is_found(compiler: str, tmp_path: Path) -> None:
    assert "IsIconic" in _complaints(compiler, tmp_path, "BOOL WINAPI IsIconic(DWORD);")


def test_every_name_of_a_prototype_has_a_type() -> None:
    for prototype in PROTOTYPES.values():
        result_of(prototype)
        assert len(parameters_of(prototype)) == len(prototype.parameters)


@pytest.mark.parametrize("line", ["BOOL IsIconic", "IsIconic(HWND)", "BOOL IsIconic(HWND);"])
def test_a_line_that_is_no_prototype_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a prototype"):
        prototypes.read({"user32": line})


def test_a_function_stands_there_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        prototypes.read({"user32": "BOOL IsIconic(HWND)", "kernel32": "BOOL IsIconic(HWND)"})
