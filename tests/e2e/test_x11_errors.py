"""An error that the X server answers with is an error like any other: it is raised, and the connection goes on."""

from collections.abc import Iterator

import pytest
from Xlib import error

from lockdown.linux_x11.server import XServer
from tests.xserver import Desktop, x11_desktop

NOBODY = 0x1F_E000_00
"""No client has this id: its connection is closed."""


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as made:
        yield made


def test_a_client_that_is_gone_is_an_error_and_no_hang(desktop: Desktop) -> None:
    server = XServer(desktop.display)
    try:
        with pytest.raises(error.BadValue):
            server.display.res_query_client_resources(NOBODY)
        assert server.root.get_geometry().width == 1280, "the connection goes on"
    finally:
        server.close()
