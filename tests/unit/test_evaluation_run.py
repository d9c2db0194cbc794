"""``fairlock evaluate`` from a folder to its reports, on drawn recordings and a detector that sees what was drawn."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.contract.errors import UserFacing
from app.contract.policy import Detection
from app.evaluation import cli
from app.evaluation.accuracy_document import accuracy_document
from app.evaluation.goals import GOALS, least_s, measuring_policy, setting_s
from app.evaluation.html_report import html_report
from app.evaluation.json_report import json_report
from app.evaluation.result import Result
from app.evaluation.text_report import text_report
from app.evaluation.thumbs import Thumbs
from app.models.sources import beside_checkout
from capture.frames import Frame
from detectors.base import Observation
from detectors.build import Detectors
from detectors.catalogue import Form, Task
from tests.unit.drawn_recordings import (
    BLUE,
    RED,
    SeesColours,
    card,
    colours_and_loudness,
    drawn,
    media,
    picture,
    sound,
)


class _Fails(SeesColours):
    def detect(self, frame: Frame) -> list[Observation]:
        raise ValueError("this model can't count to three")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An absence, a phone that is found, one that is not there, two pictures and a conversation."""
    return media(tmp_path / "media")


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[], Detectors]:
    """Build detectors that see colours and hear loudness."""
    return colours_and_loudness(tmp_path)


@pytest.fixture
def result(folder: Path, fresh: Callable[[], Detectors]) -> Result:
    """The folder, evaluated."""
    return cli.evaluate(folder, policy=measuring_policy(), fresh=fresh)


def test_events_are_found_missed_and_false_as_drawn(result: Result) -> None:
    phone, absent, speech = (result.events[thing] for thing in ("phone", "absent", "speech"))
    assert (len(phone.events), phone.found, len(phone.false), phone.honest_false) == (2, 1, 1, 1)
    assert (len(absent.events), absent.found, len(absent.false)) == (1, 1, 0)
    assert (len(speech.events), speech.found, len(speech.false)) == (1, 1, 0)
    assert phone.seconds == pytest.approx(32 - 7, abs=0.2)
    assert phone.honest_s == pytest.approx(10, abs=0.2)
    assert speech.seconds == pytest.approx(12 - 4, abs=0.2)  # the videos have no sound
    assert 0 <= phone.delays[0] < 1


def test_hard_negatives_are_counted_by_name(result: Result) -> None:
    named = {row.name: row for row in result.named}
    assert (named["hand at ear"].pictures, dict(named["hand at ear"].said)) == (1, {})
    assert dict(named["wallet"].said) == {"phone": 1}
    assert dict(named["wallet"].raised) == {"phone": 1}
    (look,) = result.looks
    assert (look.thing, look.there, look.right, look.absent, look.wrong) == ("phone", 0, 0, 2, 1)
    still = result.stills["phone"]
    assert [(false.recording.name, false.raised.thing) for false in still.false] == [("hands/wallet.png", "phone")]


@pytest.mark.parametrize(("x", "placed"), [(0.07, 1), (0.5, 0)])
def test_what_is_called_right_may_lie_in_the_wrong_place(
    tmp_path: Path, fresh: Callable[[], Detectors], x: float, placed: int
) -> None:
    """The detector's box is 9 pixels at the corner of 64×48."""
    root = tmp_path / "media"
    picture(root / "images/a.png", RED)
    (root / "labels").mkdir()
    (root / "labels/a.txt").write_text(f"0 {x} 0.09 0.14 0.18\n")
    (root / "classes.txt").write_text("phone\n")
    (look,) = cli.evaluate(root, policy=measuring_policy(), fresh=fresh).looks
    assert (look.there, look.right, look.placed, look.wrong) == (1, 1, placed, 0)


def test_the_same_folder_gives_the_same_report(folder: Path, fresh: Callable[[], Detectors], result: Result) -> None:
    def told(one: Result) -> object:
        report = json.loads(json_report(one))
        del report["cost"]  # CPU time is the one thing that is measured, not computed
        return report

    assert told(cli.evaluate(folder, policy=measuring_policy(), fresh=fresh)) == told(result)


def test_the_page_shows_each_miss_and_each_false_alarm_and_needs_nothing_else(result: Result) -> None:
    page = html_report(result)
    assert page.count("<figure><img") == 4  # a missed phone, a missed object in hand, two that are no phones
    for text in ("Missed: phone", "False: phone", "hands/wallet.png", "light", "<svg"):
        assert text in page
    assert "http" not in page
    assert "<script" not in page


def test_names_of_files_are_not_code(folder: Path, fresh: Callable[[], Detectors]) -> None:
    picture(folder / "hands/wallet.<b>&.png", RED)
    page = html_report(cli.evaluate(folder, policy=measuring_policy(), fresh=fresh, only="wallet.<b>"))
    assert "wallet.&lt;b&gt;&amp;.png" in page
    assert "wallet.<b>" not in page


def test_the_document_says_what_was_not_measured(result: Result) -> None:
    text = accuracy_document(result, "fairlock evaluate media")
    assert "`fairlock evaluate media`" in text
    assert "Nothing compares groups by skin_tone, glasses, headwear, camera" in text
    assert "second_person" in text.partition("## Not measured")[2]
    for thing, goal in GOALS.items():
        assert f"| {thing} ≥ {goal.least_s:g} s | {goal.recall:.2f}" in text
    assert "too few to say" in text


def test_the_text_shows_groups_and_names(result: Result) -> None:
    text = text_report(result)
    for words in ("hand at ear", "light", "dark", "honest h", "ms a look"):
        assert words in text


def test_synthetic_recordings_are_counted_apart(folder: Path, fresh: Callable[[], Detectors]) -> None:
    (folder / "desk/truth.toml").write_text('[[truth]]\nmatch = "*"\nsynthetic = true\n')
    result = cli.evaluate(folder, policy=measuring_policy(), fresh=fresh)
    assert "phone" not in result.events
    assert result.composed["phone"].found == 1
    assert "Synthetic" in accuracy_document(result, "x")


def test_what_the_policy_does_not_look_for_is_not_judged(folder: Path, fresh: Callable[[], Detectors]) -> None:
    policy = replace(measuring_policy(), objects=False)
    assert "phone" not in cli.evaluate(folder, policy=policy, fresh=fresh, only="desk").events


def test_what_no_model_can_look_for_is_not_judged(folder: Path, fresh: Callable[[], Detectors]) -> None:
    refusal = UserFacing("No model knows headphones.", advice="Train one.", code="E-MODEL-MISSING")
    result = cli.evaluate(
        folder, policy=measuring_policy(), fresh=lambda: replace(fresh(), refused={"headphones": refusal}), only="exam"
    )
    assert "headphones" not in result.events
    assert "phone" in result.events
    text = accuracy_document(result, "x")
    assert "Not run: headphones. No model knows headphones. Train one." in text
    assert "| headphones ≥ 5 s | 0.90 / 0.2 | 0 |  |" in text


def test_a_detector_that_fails_ends_the_measurement(folder: Path, tmp_path: Path) -> None:
    model = card(tmp_path, Form.YOLO_DENSE)
    with pytest.raises(ValueError, match="can't count"):
        cli.evaluate(folder, policy=Detection(), fresh=lambda: Detectors(pictures=(_Fails(model),)), only="exam")


def test_what_can_not_be_played_is_listed_and_the_others_count(
    folder: Path, fresh: Callable[[], Detectors], result: Result
) -> None:
    (folder / "desk/broken.mp4").write_bytes(b"no video")
    (folder / "desk/empty.wav").write_bytes(b"")
    (folder / "desk/exma.events.csv").write_text("kind,start_s,end_s\n")
    (folder / "hands/broken.png").write_bytes(b"no picture")
    sound(folder / "talk/nothing.wav", (0, 0))
    again = cli.evaluate(folder, policy=measuring_policy(), fresh=fresh)
    assert list(again.chosen.unplayed) == [
        "desk/exma.events.csv",
        "desk/broken.mp4",
        "desk/empty.wav",
        "talk/nothing.wav",
        "hands/broken.png",
    ]
    assert [one.recording.name for one in again.replays] == [one.recording.name for one in result.replays]
    assert again.chosen.left_out == 0
    for report in (text_report, html_report, json_report, lambda one: accuracy_document(one, "x")):
        text = report(again)
        assert "ot played" in text or "not_played" in text
        assert "desk/broken.mp4" in text
        assert str(folder) not in text


def test_what_can_not_be_played_shows_in_the_exit_code(
    folder: Path, fresh: Callable[[], Detectors], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_product", lambda *_: fresh)
    assert cli.main([str(folder), "--only", "honest"]) == 0
    (folder / "desk/honest2.mp4").write_bytes(b"no video")
    assert cli.main([str(folder), "--only", "honest"]) == 1
    assert "Not played" in capsys.readouterr().out


def test_the_document_says_what_was_really_run(
    folder: Path, tmp_path: Path, fresh: Callable[[], Detectors], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_product", lambda *_: fresh)
    policy, document = tmp_path / "mine.json", tmp_path / "accuracy.md"
    policy.write_text('{"absent_ms": 4000}')
    chosen = ["--only", "desk", "--limit", "1", "--hold", "2"]
    assert cli.main([str(folder), "--policy", str(policy), *chosen, "--write-docs", str(document)]) == 0
    text = document.read_text("utf-8")
    command = "fairlock evaluate media --policy mine.json --hold 2 --only desk --limit 1 --write-docs accuracy.md"
    assert f"`{command}`" in text
    assert "Only recordings with 'desk' in their path, at most 1 of each folder: 4 others were not chosen." in text
    assert "everything on" not in text
    assert "absent_ms 4000 (5000)" in text
    assert cli.main([str(folder), "--write-docs", str(document)]) == 0
    text = document.read_text("utf-8")
    assert "`fairlock evaluate media --write-docs accuracy.md`" in text
    assert "everything on but `continuity`" in text
    assert "Only recordings" not in text


def test_a_long_recording_keeps_few_pictures() -> None:
    thumbs, image = Thumbs(most=50), drawn(BLUE)
    for step in range(3000):
        thumbs.offer(step / 15, image)
        assert len(thumbs) < 50
    assert len(thumbs) > 20
    (one,) = thumbs.at_middles([(90.0, 110.0)], 200.0)
    assert one[0] == pytest.approx(100, abs=4)
    once = Thumbs()
    for step in range(46):
        once.offer(step / 15, image)
    assert len(once) == 4


def test_who_stops_early_gets_a_report_of_what_was_played(folder: Path, fresh: Callable[[], Detectors]) -> None:
    built = iter(range(9))

    def stops_at_the_third() -> Detectors:
        if next(built) == 2:
            raise KeyboardInterrupt
        return fresh()

    result = cli.evaluate(folder, policy=measuring_policy(), fresh=stops_at_the_third)
    assert [one.recording.name for one in result.replays] == ["desk/exam.avi", "desk/honest.avi"]
    assert result.chosen.left_out == 3
    assert "3 more recordings were not played" in accuracy_document(result, "x")
    assert "3 more were not played" in text_report(result)


def test_limit_and_only_choose(folder: Path, fresh: Callable[[], Detectors]) -> None:
    names = [one.recording.name for one in cli.evaluate(folder, policy=Detection(), fresh=fresh, limit=1).replays]
    assert names == ["desk/exam.avi", "hands/call_1.png", "talk/a.wav"]
    with pytest.raises(UserFacing, match="Nothing in"):
        cli.evaluate(folder, policy=Detection(), fresh=fresh, only="elsewhere")


def test_the_measuring_policy_is_no_slower_than_the_goals() -> None:
    policy = measuring_policy()
    assert policy.absent_ms <= 3000
    assert policy.person_ms <= 1000
    assert policy.headphones
    assert policy.gaze


def test_least_times_that_no_setting_moves_are_the_rules_own() -> None:
    policy = replace(measuring_policy(), away_ms=3000, speech_ms=1500)
    assert (setting_s(policy, "no_face"), least_s(policy, "no_face")) == (10.0, 10.0)
    assert (setting_s(policy, "loud_noise"), least_s(policy, "loud_noise")) == (0.2, 0.2)


@pytest.mark.parametrize("text", ["[1", '{"objekts": true}', '{"absent_ms": 5}', "[]"])
def test_a_bad_policy_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    assert cli.main([str(folder), "--policy", str(path)]) == 1
    assert "docs/policy.md" in capsys.readouterr().err


def test_a_folder_that_is_none_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([str(tmp_path / "none")]) == 1
    assert "is not a folder. Name a folder of recordings. [E-EVALUATE]" in capsys.readouterr().err


MEDIA, MODELS = beside_checkout("media"), beside_checkout("models")


@pytest.mark.skipif(MEDIA is None or MODELS is None, reason="the shared models and media are not beside this checkout")
def test_a_slice_of_the_shared_media_runs_through_the_product_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hand at the ear is no phone, speech is heard, and everything named is written."""
    report, document = tmp_path / "report", tmp_path / "accuracy.md"
    arguments = [
        str(MEDIA),
        "--only",
        "hands_no_phone/call_0413",
        "--report",
        str(report),
        "--write-docs",
        str(document),
    ]
    assert cli.main(arguments) == 0
    told = json.loads((report / "report.json").read_text("utf-8"))
    assert set(told["models"]) >= {Task.OBJECTS, Task.FACES, Task.SPEECH}
    (ear,) = told["pictures"]
    assert (ear["shows"], ear["said"].get("phone", 0), ear["raised"].get("phone", 0)) == ("hand at ear", 0, 0)
    assert (report / "report.html").is_file()
    assert document.read_text("utf-8").startswith("# Accuracy")
    assert "hand at ear" in capsys.readouterr().out
    assert cli.main([str(MEDIA), "--only", "speech/sample.wav", "--json", str(tmp_path / "speech.json")]) == 0
    assert json.loads((tmp_path / "speech.json").read_text("utf-8"))["events"]["speech"]["found"] == 1
