"""Truth in its formats: what is read, what is refused and with which advice, and what a folder's structure means."""

import hashlib
import math
from pathlib import Path

import pytest

from app.contract.errors import UserFacing
from app.evaluation.layout import lonely, recordings
from app.evaluation.truth import HEARD, SEEN, Medium
from app.evaluation.truth_formats import merged, read_boxes, read_events, read_rttm, read_uem
from app.evaluation.truth_rules import read_rules, shipped_rules

RESOURCES = Path(__file__).parents[2] / "resources" / "evaluation"
SHARED_MEDIA = Path(__file__).parents[2].parent / "shared" / "media"


def _file(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_an_event_list_has_events_and_groups(tmp_path: Path) -> None:
    text = "# complete: phone, absent\nkind,start_s,end_s,light,glasses\nphone,3.5,9,dark,\n\nabsent,20,31,,yes\n"
    events, complete = read_events(_file(tmp_path, "a.events.csv", text))
    assert complete == {"phone", "absent"}
    assert [(one.thing, one.start_s, one.end_s, dict(one.groups)) for one in events] == [
        ("phone", 3.5, 9.0, {"light": "dark"}),
        ("absent", 20.0, 31.0, {"glasses": "yes"}),
    ]


def test_an_event_list_without_events_says_that_there_is_nothing(tmp_path: Path) -> None:
    assert read_events(_file(tmp_path, "a.events.csv", "kind,start_s,end_s\n")) == ((), SEEN | HEARD)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1: the columns"),
        ("start,end,kind\n", "line 1: the columns"),
        ("kind,start_s,end_s\nphone,1,2\nphon,1,2\n", "line 3: 'phon' is not known"),
        ("kind,start_s,end_s\nphone,one,2\n", "line 2: 'one' is not a time"),
        ("kind,start_s,end_s\nphone,-1,2\n", "line 2: '-1' is not a time"),
        ("kind,start_s,end_s\nphone,nan,2\n", "line 2: 'nan' is not a time"),
        ("kind,start_s,end_s\nphone,5,2\n", "line 2: the end is not after"),
        ("kind,start_s,end_s\nphone,5\n", "line 2: 2 values for 3 columns"),
        ("# complete: cheating\nkind,start_s,end_s\n", "line 1: 'cheating' is not known"),
    ],
)
def test_a_bad_event_list_is_refused_with_file_and_line(tmp_path: Path, text: str, where: str) -> None:
    path = _file(tmp_path, "a.events.csv", text)
    with pytest.raises(UserFacing) as refused:
        read_events(path)
    assert str(refused.value).startswith(f"{path}, {where}")
    assert refused.value.advice.endswith(".")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.events.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserFacing, match="UTF-8"):
        read_events(path)


def test_speakers_that_overlap_are_one_stretch_of_speech(tmp_path: Path) -> None:
    rows = "SPEAKER a 1 1.0 2.0 <NA> <NA> x <NA> <NA>\nSPEAKER a 1 2.5 1.5 <NA> <NA> y <NA> <NA>\nSPKR-INFO a 1\n"
    assert read_rttm(_file(tmp_path, "a.rttm", rows)) == {"a": ((1.0, 4.0),)}
    assert merged([(0, 1), (1.4, 2), (3, 4)], 0.5) == ((0, 2), (3, 4))


@pytest.mark.parametrize("row", ["SPEAKER a 1 1.0", "SPEAKER a 1 x 2.0"])
def test_a_bad_row_of_rttm_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(UserFacing, match=r"a\.rttm, line 2"):
        read_rttm(_file(tmp_path, "a.rttm", f"SPEAKER a 1 0 1\n{row}\n"))


def test_annotated_regions_are_read(tmp_path: Path) -> None:
    assert read_uem(_file(tmp_path, "a.uem", ";; comment\na NA 0.0 30.0\n")) == {"a": ((0.0, 30.0),)}
    with pytest.raises(UserFacing, match="line 1: 3 fields"):
        read_uem(_file(tmp_path, "b.uem", "a 0.0 30.0\n"))


def test_boxes_become_corners(tmp_path: Path) -> None:
    (box,) = read_boxes(_file(tmp_path, "a.txt", "1 0.5 0.5 0.2 0.4\n\n"), ("case", "phone"))
    assert box.name == "phone"
    assert box.box == pytest.approx((0.4, 0.3, 0.6, 0.7))


def test_points_become_the_box_around_them(tmp_path: Path) -> None:
    rows = "0 0.1 0.2 0.5 0.2 0.5 0.6\n1 0.2 0.3 0.4 0.3 0.4 0.7 0.2 0.7\n"
    segment, turned = read_boxes(_file(tmp_path, "a.txt", rows), ("case", "phone"))
    assert segment.box == pytest.approx((0.1, 0.2, 0.5, 0.6))
    assert turned.box == pytest.approx((0.2, 0.3, 0.4, 0.7))


@pytest.mark.parametrize(
    "row",
    [
        "1 0.5 0.5 0.2",
        "1 0.5 0.5 0.2 0.2 0.9",
        "1 0.5 0.5 0 0.2",
        "x 0.5 0.5 0.2 0.2",
        "9 0.5 0.5 0.2 0.2",
        "0 0.5 5 0.2 0.2",
    ],
)
def test_a_bad_box_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(UserFacing, match="line 1"):
        read_boxes(_file(tmp_path, "a.txt", row), ("case", "phone"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[truth]\n", "not TOML"),
        ("[truths]\n", "unknown keys"),
        ('[[truth]]\nmatch = "*"\ncolour = "red"\n', "colour is not known"),
        ("[[truth]]\nmatch = 3\n", "match is not known or of a wrong type"),
        ('[[truth]]\ncomplete = ["phone"]\n', "fits nothing"),
        ('[[truth]]\nmatch = "*"\ncomplete = ["cheating"]\n', "'cheating' is not known"),
        ('[[truth]]\nmatch = "*"\nevents = [["phone", 5, 2]]\n', "an event from 5"),
        ('[[truth]]\nmatch = "*"\nevents = [["phone", 5]]\n', "an event is"),
        ('[[truth]]\nshows = "("\n', "number 1"),
        ('[[truth]]\nshows = "a"\ntimed = "phone"\n', "timed needs"),
    ],
)
def test_a_bad_rule_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UserFacing, match=r"truth\.toml") as refused:
        read_rules(_file(tmp_path, "truth.toml", text), "")
    assert why in str(refused.value)


def test_the_rules_that_ship_are_whole() -> None:
    assert len(shipped_rules()) > 5


def test_a_folder_is_read_by_its_structure(tmp_path: Path) -> None:
    _file(tmp_path, "desk/images/one.jpg")
    _file(tmp_path, "desk/images/two.jpg")
    _file(tmp_path, "desk/labels/one.txt", "1 0.5 0.5 0.1 0.1\n")
    _file(tmp_path, "desk/classes.txt", "wallet\ncell phone\n")
    _file(
        tmp_path, "desk/truth.toml", '[[truth]]\nmatch = "images/*"\nheld = ["wallet"]\ngroups = { light = "dark" }\n'
    )
    _file(tmp_path, "talk/a.wav")
    _file(tmp_path, "talk/b.rttm", "SPEAKER a 1 1 2 <NA> <NA> x <NA> <NA>\n")
    _file(tmp_path, "clips/c.mp4")
    _file(tmp_path, "clips/c.events.csv", "kind,start_s,end_s\nabsent,1,5\n")
    _file(tmp_path, "clips/d.mp4")
    _file(tmp_path, "clips/notes.txt", "not a recording")
    found = {one.name: one for one in recordings(tmp_path)}
    assert list(found) == ["clips/c.mp4", "clips/d.mp4", "desk/images/one.jpg", "desk/images/two.jpg", "talk/a.wav"]
    assert [event.thing for event in found["clips/c.mp4"].truth.events] == ["absent"]
    assert found["clips/d.mp4"].truth.complete == frozenset()
    one, two = found["desk/images/one.jpg"].truth, found["desk/images/two.jpg"].truth
    assert ([event.thing for event in one.events], one.name) == (["phone"], "cell phone")
    assert not two.events
    assert two.complete == {"phone"}
    assert two.groups == {"light": "dark"}
    assert [(event.start_s, event.end_s) for event in found["talk/a.wav"].truth.events] == [(1.0, 3.0)]


def test_a_rule_of_the_folder_wins_over_one_that_ships(tmp_path: Path) -> None:
    _file(tmp_path, "webcam_gaze/a.mp4")
    (shipped,) = recordings(tmp_path)
    assert [event.thing for event in shipped.truth.events] == ["looking_away"]
    _file(tmp_path, "webcam_gaze/truth.toml", '[[truth]]\nmatch = "a.*"\ncomplete = ["looking_away"]\n')
    (own,) = recordings(tmp_path)
    assert own.truth.events == ()


def test_what_the_list_says_is_understood(tmp_path: Path) -> None:
    rows = [
        "file\tshows",
        "a.jpg\t1 person makes a call gesture, hand at ear, NO phone",
        "b.jpg\t2 persons, faces",
        "c.wav\tsilence",
    ]
    _file(tmp_path, "MANIFEST.tsv", "\n".join(rows))
    for name in ("a.jpg", "b.jpg", "c.wav"):
        _file(tmp_path, name, name)
    ear, two, silence = (one.truth for one in recordings(tmp_path))
    assert (ear.name, ear.events) == ("hand at ear", ())
    assert {"phone", "second_person"} <= ear.complete
    assert [event.thing for event in two.events] == ["second_person"]
    assert math.isinf(two.events[0].end_s)
    assert silence.complete == {"speech"}
    assert not silence.events


def test_times_in_the_list_are_read_and_win_over_the_folder_but_not_over_what_was_seen(tmp_path: Path) -> None:
    rows = [
        "file\tshows",
        "webcam_gaze/a.mp4\teyes centre 0-4 s, left 4-8.5 s, centre 8.5-12 s",
        "b.mp4\tphone used from ~5 s",
    ]
    _file(tmp_path, "MANIFEST.tsv", "\n".join(rows))
    _file(tmp_path, "webcam_gaze/a.mp4", "a")
    _file(tmp_path, "webcam_gaze/c.mp4", "c")
    _file(tmp_path, "b.mp4", "b")
    phone, listed, other = (one.truth for one in recordings(tmp_path))
    assert [(one.thing, one.start_s, one.end_s) for one in listed.events] == [("looking_away", 4.0, 8.5)]
    assert [(one.thing, one.start_s, one.end_s) for one in other.events] == [("looking_away", 5.0, 10.0)]
    assert [(one.thing, one.start_s, one.end_s) for one in phone.events] == [("phone", 5.0, math.inf)]
    seen = hashlib.sha256(b"b").hexdigest()
    shipped = (RESOURCES / "truth.toml").read_text("utf-8")
    _file(tmp_path, "truth.toml", shipped + f'[[truth]]\nsha256 = "{seen}"\nevents = [["phone", 5.1, 7.0]]\n')
    assert [(one.start_s, one.end_s) for one in recordings(tmp_path)[0].truth.events] == [(5.1, 7.0)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: [wallet, 'phone']\n", 2),
        ("nc: 2\nnames:\n  0: wallet\n  1: phone\n", 2),
        ("names:\n- wallet\n- phone\n", 2),
        ("names: {0: wallet, 1: 'Cell Phone'}\nnc: 2\n", 2),
        ("names: {0: phone}\n", 1),
        ("names:  # two\n  # the first\n  1: cell-phone # held\n\n  0: wallet\npath: .\n", 2),
        ("names: [\n  'wallet',\n  'mobile_phone',\n]\n", 2),
    ],
)
def test_names_of_classes_are_read_from_data_yaml(tmp_path: Path, text: str, names: int) -> None:
    _file(tmp_path, "images/a.jpg")
    _file(tmp_path, "labels/a.txt", f"{names - 1} 0.5 0.5 0.1 0.1\n")
    _file(tmp_path, "data.yaml", text)
    (one,) = recordings(tmp_path)
    assert [event.thing for event in one.truth.events] == ["phone"]


def test_classes_without_names_are_asked_for(tmp_path: Path) -> None:
    _file(tmp_path, "images/a.jpg")
    _file(tmp_path, "labels/a.txt", "0 0.5 0.5 0.1 0.1\n")
    with pytest.raises(UserFacing, match=r"Write classes\.txt"):
        recordings(tmp_path)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserFacing, match="holds no recording"):
        recordings(tmp_path)
    with pytest.raises(UserFacing, match="is not a folder"):
        recordings(tmp_path / "none")


# (picture, label, names): Roboflow, Ultralytics, labelImg
@pytest.mark.parametrize(
    ("picture", "label", "names"),
    [
        ("valid/images/a.jpg", "valid/labels/a.txt", "data.yaml"),
        ("images/val/a.jpg", "labels/val/a.txt", "data.yaml"),
        ("images/a.jpg", "labels/a.txt", "labels/classes.txt"),
        ("set/images/val/room/a.jpg", "set/labels/val/room/a.txt", "set/dataset.yaml"),
    ],
)
def test_boxes_are_read_where_others_put_them(tmp_path: Path, picture: str, label: str, names: str) -> None:
    _file(tmp_path, picture)
    _file(tmp_path, label, "1 0.5 0.5 0.1 0.1\n")
    _file(tmp_path, names, "names: [wallet, phone]\n" if names.endswith("yaml") else "wallet\nphone\n")
    for root in (tmp_path, *(tmp_path / picture).parents[:2]):
        (one,) = recordings(root)
        assert [event.thing for event in one.truth.events] == ["phone"], root


@pytest.mark.parametrize("inside", ["", "deep"])
def test_rules_that_ship_know_a_folder_that_is_the_whole(tmp_path: Path, inside: str) -> None:
    for name in ("webcam_gaze", "hands_no_phone"):
        _file(tmp_path, f"{name}/call_1.jpg")
    assert [event.thing for event in recordings(tmp_path / "webcam_gaze")[0].truth.events] == ["looking_away"]
    assert recordings(tmp_path / "hands_no_phone")[0].truth.name == "hand at ear"
    objects = tmp_path / inside / "webcam_objects"
    _file(objects, "images/b.jpg")
    _file(objects, "labels/b.txt", "1 0.5 0.5 0.1 0.1\n")
    for root in (objects, objects / "images"):
        (one,) = recordings(root)
        assert [event.thing for event in one.truth.events] == ["phone"]


def test_what_systems_leave_behind_is_no_recording(tmp_path: Path) -> None:
    for name in ("a.mp4", "._a.mp4", ".cache/b.mp4", "__MACOSX/._a.mp4"):
        _file(tmp_path, name)
    assert [one.name for one in recordings(tmp_path)] == ["a.mp4"]


def test_event_lists_without_a_recording_are_named(tmp_path: Path) -> None:
    for name in ("a.MP4", "a.events.csv", "b.wav", "b.wav.events.csv", "d/c.events.csv", "d/c.txt", "._c.events.csv"):
        _file(tmp_path, name)
    assert lonely(tmp_path) == ("d/c.events.csv",)


def test_what_can_not_be_opened_is_known_by_no_rule_of_content(tmp_path: Path) -> None:
    """A link to nowhere is no file; a file that vanishes or is closed to us is refused when it is played."""
    (tmp_path / "away.mp4").symlink_to(tmp_path / "nowhere.mp4")
    _file(tmp_path, "a.mp4")
    assert [one.name for one in recordings(tmp_path)] == ["a.mp4"]


@pytest.mark.skipif(not SHARED_MEDIA.is_dir(), reason="the shared media are not beside this checkout")
def test_the_shared_media_have_the_truth_that_their_readme_gives() -> None:
    found = {one.name: one for one in recordings(SHARED_MEDIA)}
    boxed = [one.truth.name for name, one in found.items() if name.startswith("webcam_objects/")]
    assert {name: boxed.count(name) for name in sorted(set(boxed))} == {"airpods case": 39, "phone": 42, "wallet": 55}
    wallets = [one.truth for one in found.values() if one.truth.name == "wallet"]
    assert all(
        [event.thing for event in one.events] == ["object_in_hand"] and "phone" in one.complete for one in wallets
    )
    ears = [one for one in found.values() if one.truth.name == "hand at ear"]
    assert len(ears) == 4
    assert all("phone" in one.truth.complete and not one.truth.events for one in ears)
    (gaze,) = (one for name, one in found.items() if name.startswith("webcam_gaze/"))
    assert [(event.start_s, event.end_s) for event in gaze.truth.events] == [(5.0, 10.0)]
    assert gaze.truth.tolerance_s == 0.5
    spoken = [one for one in found.values() if one.truth.made == "by RTTM"]
    assert len(spoken) == 3
    assert all(one.medium is Medium.SOUND for one in spoken)
