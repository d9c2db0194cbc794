"""Takes the keys that switch to another console out of the key map: the X server handles them below any grab.

The grab of all other keys is the shell's (a window of Qt's must own it, or the student could not type).
"""

from collections.abc import Mapping, Sequence

from app.contract.errors import Unsupported
from lockdown.capabilities import Replay, RunExternal, Undo, unsupported
from lockdown.linux_x11.server import XServer, replay_on

UNDO_KIND = "x11-keymap-options"
OPTION = "srvrkeys:none"


class ConsoleKeys:
    """Holds Ctrl+Alt+Fn off, by the key map option ``srvrkeys:none``. The native part of ``InputGuard``.

    ``setxkbmap`` builds the map again, so changes made with ``xmodmap`` are lost; they can't be read back.
    """

    def __init__(self, server: XServer, run: RunExternal) -> None:
        self._display = server.name
        self._run = run
        self._options()

    def plan(self) -> Sequence[Undo]:
        """Return how to set the options of now again."""
        arguments = {"display": self._display, "options": ",".join(self._options())}
        return (Undo(kind=UNDO_KIND, arguments=arguments, says="Console keys work again"),)

    def engage(self) -> None:
        """Add the option to those in force."""
        _setxkbmap(self._run, self._display, "-option", OPTION)

    def holds(self) -> bool:
        """Whether the X server's key map has the option."""
        return OPTION in self._options()

    def release(self) -> None:
        """Nothing lives in this process."""

    def _options(self) -> list[str]:
        lines = _setxkbmap(self._run, self._display, "-query").splitlines()
        values = [line.partition(":")[2].strip() for line in lines if line.startswith("options:")]
        return [option for option in ",".join(values).split(",") if option]


def replayer(run: RunExternal) -> Replay:
    """Return the function that sets the options which an ``Undo`` names."""

    def replay(arguments: Mapping[str, str]) -> None:
        options = [part for option in arguments["options"].split(",") if option for part in ("-option", option)]
        # An empty option first clears the list; without it setxkbmap adds.
        replay_on(arguments["display"], lambda server: _setxkbmap(run, server.name, "-option", "", *options))

    return replay


def _setxkbmap(run: RunExternal, display: str, *arguments: str) -> str:
    """Run setxkbmap and return what it wrote. Raises ``Unsupported``."""
    try:
        done = run(["setxkbmap", "-display", display, *arguments])
    except Unsupported as error:
        raise unsupported(f"Console keys can't be switched off. {error}", "Install x11-xkb-utils.") from error
    if done.status != 0:
        raise unsupported(f"Console keys can't be switched off: setxkbmap ended with {done.status}.")
    return done.output
