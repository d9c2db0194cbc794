"""Assistive programs and keys by what they are for, so that an allowance can name them. Data, and nothing else.

Names are those of processes or files: case folded, without ``.exe``, ``_`` for a blank. Together they hold every
name of ``[assistive]`` in ``resources/processes.toml`` (a test compares the two); input methods come on top.
"""

from pathlib import PurePath, PureWindowsPath


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCREEN_READERS = _words(
    """
    brltty brltty-clip cthulhu espeak espeak-ng orca sd_dummy sd_espeak-ng speech-dispatcher xbrlapi
    claroread fusion fusionui jfw narrator nvda nvda_slave readandwrite supernova
    voiceover voiceover_utility voiceoverd
    """
)
MAGNIFIERS = _words(
    """
    kmag magnus xzoom
    fusion fusionui magnify supernova zoomtext zoomtextui zt
    accessibilityvisualsagent universalaccessd zoom_window
    """
)
INPUT_METHODS = _words(
    """
    fcitx fcitx5 ibus-daemon ibus-engine-anthy ibus-engine-chewing ibus-engine-hangul ibus-engine-libpinyin
    ibus-engine-mozc ibus-engine-simple ibus-engine-table ibus-extension-gtk3 ibus-ui-emojier ibus-ui-gtk3 ibus-x11
    mozc_renderer mozc_server scim uim-xim
    chsime chtime ctfmon imebroker jpnime textinputhost
    imklaunchagent textinputmenuagent textinputswitcher
    """
)
INPUT_AIDS = _words(
    """
    caribou dasher florence kmousetool kmouth mousetweaks nerd-dictation onboard opentrack simon squeekboard talon
    wvkbd-mobintl
    atbroker dragon dragonbar eyecontrol gazepointer livecaptions natspeak osk sethc tobii.eyex.engine
    tobiidynavox.gaming utilman voiceaccess
    accessibilityuiserver assistivecontrol keyboard_viewer keyboardaccessagent livetranscriptionagent
    speechrecognitioncore switchcontrol voicecontrol
    """
)
"""On-screen keyboards, dictation, captions, eye control, help with the mouse."""

KEYS = _words(
    """
    Alt+Meta+S Alt+Meta+8 Alt+Meta+Equal Alt+Meta+Plus Alt+Meta+Minus Alt+Meta+0 Alt+Meta+F5
    Meta+Plus Meta+Minus Meta+Equal Meta+Escape Meta+U Meta+H Meta+F5
    Ctrl+Meta+Return Ctrl+Meta+O Ctrl+Meta+N Ctrl+Meta+C Alt+Shift+Print Alt+Shift+SysReq
    """
)
"""What starts, stops and steers the helps of GNOME, KDE, Windows and macOS; named as ``app.shell.keys`` does."""


def names_of(name: str, path: str) -> frozenset[str]:
    """Return both names a program goes by, its process's and its file's, in the form of the lists above."""
    file = PureWindowsPath(path).name if "\\" in path else PurePath(path).name
    return frozenset(
        one.strip().casefold().removesuffix(".exe").replace(" ", "_") for one in (name, file) if one.strip()
    )
