"""What an executable says it is: the original file name in its version resource, and who signed it.

A signature is checked with what this computer knows; nothing is asked over the network. Files that Windows signs in a
catalogue (its own small programs) carry no signature themselves and count as unsigned.
"""

import ctypes

from lockdown.identities import OncePerFile
from lockdown.processes import Identity, Program
from lockdown.windows import constants as c
from lockdown.windows.binary import DWORD, GUID, WINTRUST_DATA, WINTRUST_FILE_INFO, WORD
from lockdown.windows.functions import Api

LONGEST_NAME = 256
_LONGEST_RESOURCE = 4 << 20
_FALLBACK_LANGUAGES = ("040904b0", "040904e4", "000004b0")
# WINTRUST_ACTION_GENERIC_VERIFY_V2
_VERIFY = GUID(0x00AAC56B, 0xCD44, 0x11D0, (0x8C, 0xC2, 0x00, 0xC0, 0x4F, 0xC2, 0x95, 0xEE))


class Identities:
    """Finds out what programs say they are, each file once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known = OncePerFile(self._read)

    def of(self, program: Program) -> Identity:
        """Return what is known of ``program``; a text is empty where it says nothing."""
        return self._known(program.path)

    def _read(self, path: str) -> Identity:
        return Identity(original_name=original_name(self._api, path), signer=signer(self._api, path))


def original_name(api: Api, path: str) -> str:
    """Return ``OriginalFilename`` of the version resource, empty without one."""
    size = api.GetFileVersionInfoSizeW(path, ctypes.byref(DWORD()))
    if not 0 < size <= _LONGEST_RESOURCE:
        return ""
    resource = ctypes.create_string_buffer(size)
    if not api.GetFileVersionInfoW(path, 0, size, resource):
        return ""
    for language in (*_languages(api, resource), *_FALLBACK_LANGUAGES):
        value = _query(api, resource, rf"\StringFileInfo\{language}\OriginalFilename", in_letters=True)
        if text := value.decode("utf-16-le", errors="replace").partition("\0")[0].strip():
            return text
    return ""


def signer(api: Api, path: str) -> str:
    """Return the name in the certificate of whoever signed the file, empty if the signature does not hold."""
    file = WINTRUST_FILE_INFO(cbStruct=ctypes.sizeof(WINTRUST_FILE_INFO), pcwszFilePath=path)
    data = WINTRUST_DATA(
        cbStruct=ctypes.sizeof(WINTRUST_DATA),
        dwUIChoice=c.WTD_UI_NONE,
        fdwRevocationChecks=c.WTD_REVOKE_NONE,
        dwUnionChoice=c.WTD_CHOICE_FILE,
        pFile=ctypes.pointer(file),
        dwStateAction=c.WTD_STATEACTION_VERIFY,
        dwProvFlags=c.WTD_CACHE_ONLY_URL_RETRIEVAL,
    )
    holds = api.WinVerifyTrust(None, ctypes.byref(_VERIFY), ctypes.byref(data)) == 0
    try:
        return _name_of_signer(api, data.hWVTStateData) if holds else ""
    finally:
        data.dwStateAction = c.WTD_STATEACTION_CLOSE
        api.WinVerifyTrust(None, ctypes.byref(_VERIFY), ctypes.byref(data))


def _name_of_signer(api: Api, state: int | None) -> str:
    provider = api.WTHelperProvDataFromStateData(state)
    first = api.WTHelperGetProvSignerFromChain(provider, 0, 0, 0) if provider else None
    certificate = api.WTHelperGetProvCertFromChain(first, 0) if first else None
    if not certificate:
        return ""
    name = (WORD * LONGEST_NAME)()
    api.CertGetNameStringW(certificate.contents.pCert, c.CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, None, name, len(name))
    return bytes(name).decode("utf-16-le", errors="replace").partition("\0")[0]


def _languages(api: Api, resource: ctypes.Array[ctypes.c_char]) -> list[str]:
    """Return the languages and code pages that the resource has texts in, as eight hex digits each."""
    table = _query(api, resource, r"\VarFileInfo\Translation", in_letters=False)
    words = [int.from_bytes(table[place : place + 2], "little") for place in range(0, len(table) - 1, 2)]
    return [f"{language:04x}{page:04x}" for language, page in zip(words[::2], words[1::2], strict=False)]


def _query(api: Api, resource: ctypes.Array[ctypes.c_char], what: str, *, in_letters: bool) -> bytes:
    """Return a part of the resource. Windows counts a text in letters of two bytes, everything else in bytes."""
    value, length = ctypes.c_void_p(), DWORD()
    if not api.VerQueryValueW(resource, what, ctypes.byref(value), ctypes.byref(length)) or not value.value:
        return b""
    begin = value.value - ctypes.addressof(resource)
    end = begin + length.value * (2 if in_letters else 1)
    # It points into the resource; what a damaged one says is not followed beyond it.
    return resource.raw[begin:end] if 0 <= begin <= end <= len(resource) else b""
