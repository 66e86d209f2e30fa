import pytest

from clockfree.base.errors import InputError
from clockfree.base.overrides import override, value_of
from clockfree.task.taskfile import load_task
from clockfree_model.parts import POTS

TASK = """
network = "lab16"

[placement]
sources = ["A", "C"]
targets = ["E"]

[[lesson]]
source_V = [[0.0, 5.0], [5.0, 0.0]]
desired_V = [[2.0], [3.0]]
"""

*FIRST, LAST = POTS


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "task.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def line_of(path, *arguments, **keywords):
    """The line of the InputError that reading the file raises, without the file's name at its start."""
    with pytest.raises(InputError) as raised:
        load_task(path, *arguments, **keywords)
    line = str(raised.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


def test_defaults(write):
    task = load_task(write(TASK))
    assert (task.title, task.network_spec, task.preset, task.rule) == ("task", "lab16", "ideal", "clockfree")
    assert (task.updates, task.seed, task.task_seed, task.start_taps) == (1500, 0, 0, None)
    assert task.edge.model_dump(exclude_none=True) == task.clamp.model_dump(exclude_none=True) == {}
    assert task.physics.model_dump(exclude_none=True) == {}
    assert task.damage == []


RULES = "rule: expected clockfree, sync, p=P with 0.001 <= P <= 1, or oscillators=P with 0.02 <= P <= 1"
BROKEN = [
    ("rule = 'oscillators=0.01'\n" + TASK, f"{RULES}, got 'oscillators=0.01'"),
    ("rule = 'oscillators'\n" + TASK, f"{RULES}, got 'oscillators'"),
    # unknown and missing keys
    ("sorces = 2\n" + TASK, "sorces: expected one of name, network, preset, rule, updates, seed, task_seed, "
     "start_taps, network_file, scale, placement, lesson, damage, edge, clamp, physics, got an unknown key"),
    (TASK + "[clamp]\neeta = 0.5", "clamp.eeta: expected one of kind, eta, amplitude_V, gain, tolerance_V, "
     "release_V, refresh_s, hinge, dwell_s, order, got an unknown key (did you mean eta?)"),
    (TASK.replace("[[lesson]]", "start_taps = 3\n[[lesson]]"),
     "placement.start_taps: expected one of sources, targets, got a key of the whole file: "
     "start_taps belongs above [placement]"),
    (TASK.replace("sources", "sorces"), "placement.sorces: expected one of sources, targets, got an unknown key "
     "(did you mean sources?)"),
    (TASK + "teachers = true", "lesson.0.teachers: expected one of name, from_updates, source_V, desired_V, teacher, "
     "regression, classification, got an unknown key (did you mean teacher?)"),
    (TASK.replace('targets = ["E"]', ""), "placement.targets: expected a value, got nothing"),
    ("[placement]\nsources = 2\ntargets = 1", "lesson: expected a value, got nothing"),
    # wrong kinds
    ("seed = 1.5\n" + TASK, "seed: expected an integer, got 1.5"),
    ("seed = 'one'\n" + TASK, "seed: expected an integer, got 'one'"),
    ("task_seed = true\n" + TASK, "task_seed: expected an integer, got true"),
    ("seed = -1\n" + TASK, "seed: expected a number >= 0 and < 1152921504606846976, got -1"),
    ("updates = -1\n" + TASK, "updates: expected a number >= 0 and <= 100000000, got -1"),
    ("network = 16\n" + TASK.replace('network = "lab16"', ""), "network: expected text, got 16"),
    ("placement = 3\n" + TASK.split("[placement]")[0], "placement: expected a table, got 3"),
    (TASK.replace('["A", "C"]', "0"), "placement.sources: expected node names, or a number of nodes to draw, got 0"),
    (TASK.replace('["A", "C"]', "[1.5, 2]"),
     "placement.sources: expected node names, or a number of nodes to draw, got [1.5, 2]"),
    (TASK.replace('["A", "C"]', "[true]"),
     "placement.sources: expected node names, or a number of nodes to draw, got [True]"),
    (TASK.replace("3.0", "nan"), "lesson.0.desired_V.1.0: expected a finite number, got nan"),
    (TASK.replace("3.0", "'3'"), "lesson.0.desired_V.1.0: expected a number, got '3'"),
    (TASK.replace("[3.0]", "3.0"), "lesson.0.desired_V.1: expected a list, got 3.0"),
    # out of range
    (TASK + "[clamp]\neta = 0", "clamp.eta: expected a number > 0 and <= 1, got 0"),
    (TASK + "[clamp]\neta = 1.01", "clamp.eta: expected a number > 0 and <= 1, got 1.01"),
    (TASK + "[clamp]\neta = nan", "clamp.eta: expected a finite number, got nan"),
    (TASK + "[clamp]\ndwell_s = 0", "clamp.dwell_s: expected a number >= 0.001 and <= 536, got 0"),
    (TASK + "[clamp]\norder = 'sorted'", "clamp.order: expected 'fixed', 'shuffled' or 'random', got 'sorted'"),
    (TASK + "[edge]\nrate_hz = 0", "edge.rate_hz: expected a number >= 0.06 and <= 10000, got 0"),
    (TASK + "[edge]\ndecades = -1", "edge.decades: expected a number >= 0, got -1"),
    (TASK + "[edge]\nf_V = -0.1", "edge.f_V: expected a number >= 0, got -0.1"),
    (TASK + "[edge]\npot = 'mcp'", f"edge.pot: expected {', '.join(map(repr, FIRST))} or {LAST!r}, got 'mcp' "
     "(did you mean mcp4661?)"),
    (TASK + "[physics]\nmismatch = [1]", "physics.mismatch: expected a number, got [1]"),
    ("start_taps = []\n" + TASK, "start_taps: expected a tap, a list with a tap for each edge, "
     '"file", or the folder of a run, got []'),
    ("rule = 'p=0'\n" + TASK, f"{RULES}, got 'p=0'"),
    ("rule = 'p=nan'\n" + TASK, f"{RULES}, got 'p=nan'"),
    # lessons
    (TASK.replace("[[0.0, 5.0], [5.0, 0.0]]", "[]"), "lesson.0.source_V: expected at least one example, got none"),
    (TASK.replace("[[2.0], [3.0]]", "[]"), "lesson.0.desired_V: expected at least one example, got none"),
    (TASK.replace("[3.0]", "[]"), "lesson.0.desired_V.1: expected at least one entry, got none"),
    ("lesson = []\n" + TASK.split("[[lesson]]")[0], "lesson: expected at least one entry, got none"),
    (TASK + "teacher = true",
     "lesson.0: expected one of desired_V, teacher = true, regression, classification, got desired_V and teacher"),
    (TASK + "[[lesson]]\nfrom_updates = 9",
     "lesson.1: expected one of desired_V, teacher = true, regression, classification, got none"),
    (TASK + "[[lesson]]\nfrom_updates = 9\ndesired_V = [[1.0]]",
     "lesson.1: expected source_V beside desired_V, got none"),
    (TASK + "[[lesson]]\nsource_V = [[1.0, 2.0]]\n[lesson.regression]\ncoefficients = [[1.0]]\nexamples = 1",
     "lesson.1: expected no source_V beside regression, which brings its own, got one"),
    (TASK + "[[lesson]]\nteacher = true", "lesson: expected from_updates to start at 0 and rise from lesson to lesson, "
     "got [0.0, 0.0]"),
    (TASK + "from_updates = 10",
     "lesson: expected from_updates to start at 0 and rise from lesson to lesson, got [10.0]"),
    (TASK + "[[lesson]]\n[lesson.regression]\ncoefficients = [[1.0]]\nexamples = 0",
     "lesson.1.regression.examples: expected a number >= 1 and <= 10000, got 0"),
    (TASK + "[[lesson]]\n[lesson.regression]\ncoefficients = [[1.0]]\nexamples = 10001",
     "lesson.1.regression.examples: expected a number >= 1 and <= 10000, got 10001"),
    (TASK + "[[lesson]]\n[lesson.regression]\ncoefficients = [[1.0]]\nexamples = 1\ninput_V = [1, 1]",
     "lesson.1.regression.input_V: expected [lowest, highest] in V, got [1, 1]"),
    (TASK + "[[lesson]]\n[lesson.classification]\ndata = 'iris'\ninput_V = [0, 1]\ntest_share = 1",
     "lesson.1.classification.test_share: expected a number > 0 and < 1, got 1"),
    # damage
    (TASK + "[[damage]]\nedges = ['A-B']\nkind = 'broken'\nat_updates = 0",
     "damage.0.kind: expected 'dead', 'stuck_a0', 'stuck_a1', 'stuck_b0', 'stuck_b1' or 'cut', got 'broken'"),
    (TASK + "[[damage]]\nedges = 'A-B'\nkind = 'cut'\nat_updates = 0",
     "damage.0.edges: expected a list of edges, each by its nodes (A-B) or its index, got 'A-B'"),
    (TASK + "[[damage]]\nedges = [1]\nkind = 'cut'\nat_updates = -1",
     "damage.0.at_updates: expected a number >= 0 and <= 100000000, got -1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), BROKEN)
def test_what_is_wrong_is_said_in_one_line(write, text, line):
    assert line_of(write(text)) == line


@pytest.mark.parametrize("text", ["network = ", "[clamp", "seed = 1\nseed = 2\n", TASK + "x y"])
def test_toml_that_does_not_parse(write, text):
    assert line_of(write(text)).startswith("file: expected TOML, got ")


def test_a_file_that_cannot_be_read(tmp_path):
    assert line_of(tmp_path / "no.toml") == "file: expected a readable TOML file, got No such file or directory"
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    assert line_of(tmp_path / "bytes.toml") == "file: expected TOML in UTF-8, got other bytes"


class TestOverrides:
    def test_the_command_line_wins_over_the_file(self, write):
        path = write("seed = 3\nupdates = 9\n" + TASK + "[clamp]\neta = 0.5\ndwell_s = 0.2")
        task = load_task(
            path, {"seed": 4, "updates": None, "network": "square:3x3"}, ["clamp.eta=0.25", "name = other"]
        )
        assert (task.seed, task.updates, task.network_spec, task.title) == (4, 9, "square:3x3", "other")
        assert task.clamp.model_dump(exclude_none=True) == {"eta": 0.25, "dwell_s": 0.2}

    def test_set_reaches_tables_that_the_file_has_not_and_items_of_lists(self, write):
        sets = ["physics.supply_V=3.3", "edge.front_end=adc", "lesson.0.source_V.1.0=4.5", "placement.targets=2"]
        task = load_task(write(TASK), sets=sets)
        assert task.physics.model_dump(exclude_none=True) == {"supply_V": 3.3}
        assert task.edge.front_end == "adc"
        assert task.lesson[0].source_V == [[0, 5], [4.5, 0]]
        assert task.placement.targets == 2

    def test_strings_of_options_are_read_as_typed(self, write):
        assert load_task(write(TASK), {"seed": "7", "rule": "p=0.5", "preset": "board"}).seed == 7

    @pytest.mark.parametrize(
        ("options", "sets", "line"),
        [
            ({"seed": "x"}, [], "seed (from --seed): expected an integer, got 'x'"),
            ({"seed": "1.5"}, [], "seed (from --seed): expected an integer, got 1.5"),
            ({"task_seed": "1e3"}, [], "task_seed (from --task-seed): expected an integer, got 1000.0"),
            ({"updates": -1}, [], "updates (from --updates): expected a number >= 0 and <= 100000000, got -1"),
            ({}, ["clamp.eta=2"], "clamp.eta (from --set): expected a number > 0 and <= 1, got 2"),
            ({}, ["clamp.eta=half"], "clamp.eta (from --set): expected a number, got 'half'"),
            ({}, ["clamp=2"], "clamp (from --set): expected a table, got 2"),
            ({}, ["edge.f=1"], "edge.f (from --set): expected one of front_end, pot, order, f_V, theta_V, summed, "
             "calibrate, clock, rate_hz, decades, late_us, got an unknown key"),
            ({}, ["lesson.0.desired_V=[]"], "lesson.0.desired_V (from --set): expected at least one example, got none"),
            ({}, ["lesson.1.teacher=true"], "lesson.1.teacher (from --set): expected 0..0 after lesson, got '1'"),
            ({}, ["network.size=3"], "network.size (from --set): expected a table or a list at network, got 'lab16'"),
            ({}, ["eta"], "--set: expected KEY=VALUE, got 'eta'"),
            ({}, ["=1"], "--set: expected KEY=VALUE, got '=1'"),
        ],
    )  # fmt: skip
    def test_an_error_says_which_option_it_was(self, write, options, sets, line):
        assert line_of(write(TASK), options, sets) == line

    def test_only_the_option_at_fault_is_named(self, write):
        assert line_of(write("seed = -1\n" + TASK), {"updates": 3}).startswith("seed: expected")

    @pytest.mark.parametrize(
        ("text", "value"),
        [("1", 1), ("1.5", 1.5), ("true", True), ("[1, 2]", [1, 2]), ("adc", "adc"), ('"3"', "3"), ("p=0.5", "p=0.5"),
         ("{x = 1}", {"x": 1}), ("", ""), ("1\nseed = 2", "1\nseed = 2"),
         ("1" * 5000, "1" * 5000), ("[" * 5000, "[" * 5000)],
    )  # fmt: skip
    def test_values(self, text, value):
        assert value_of(text) == value

    def test_override_makes_missing_tables(self):
        data = {}
        override(data, "a.b.c", 1)
        assert data == {"a": {"b": {"c": 1}}}


def test_a_file_of_an_editor_that_marks_utf_8_is_one(write):
    assert load_task(write("\ufeff" + TASK)).network == "lab16"


def test_files_are_looked_for_beside_the_task(write, tmp_path):
    (tmp_path / "net.csv").write_text("A,B\n")
    path = write(TASK.replace("lab16", "net.csv"))
    assert load_task(path).network_spec == str(tmp_path / "net.csv")
    assert load_task(path, {"network": "net.csv"}).network_spec == "net.csv"
    assert load_task(path).path("network", "none.csv") == "none.csv"


class TestWhatANameMeans:
    @pytest.fixture
    def elsewhere(self, tmp_path, monkeypatch):
        """A task with a file in a folder, a link to it in another, and a current folder with a file of that name."""
        for name in ("task", "links", "here"):
            (tmp_path / name).mkdir()
        (tmp_path / "task/task.toml").write_text(TASK)
        (tmp_path / "links/task.toml").symlink_to(tmp_path / "task/task.toml")
        for folder in ("task", "here"):
            (tmp_path / folder / "two.csv").write_text(folder)
        monkeypatch.chdir(tmp_path / "here")
        return tmp_path

    def test_of_a_link_is_what_lies_beside_the_file(self, elsewhere):
        for folder in ("task", "links"):
            task = load_task(elsewhere / folder / "task.toml")
            assert task.path("lesson.0.regression.data", "two.csv") == str(elsewhere / "task/two.csv")

    def test_beside_a_link_it_is_found_too_and_two_are_refused(self, elsewhere):
        other = elsewhere / "links/two.csv"
        other.write_text("links")
        task = load_task(elsewhere / "links/task.toml")
        with pytest.raises(InputError, match=r"network: expected one, got \S+/task/two.csv beside the file and "):
            task.path("network", "two.csv")
        (elsewhere / "task/two.csv").unlink()
        assert task.path("network", "two.csv") == str(other)

    def test_the_current_folder_says_nothing(self, elsewhere):
        (elsewhere / "task/two.csv").unlink()
        task = load_task(elsewhere / "task/task.toml")
        with pytest.raises(InputError, match=r"task.toml: start_taps: expected a file beside .*--set start_taps=two"):
            task.path("start_taps", "two.csv")

    def test_what_was_typed_may_lie_there(self, elsewhere):
        task = load_task(elsewhere / "task/task.toml", {}, ["start_taps=two.csv"])
        with pytest.raises(InputError, match=r"start_taps \(from --set\): expected one file, got \S+ and \S+: write"):
            task.path("start_taps", "two.csv")
        (elsewhere / "task/two.csv").unlink()
        assert task.path("start_taps", "two.csv") == "two.csv"

    def test_a_home(self, elsewhere, monkeypatch):
        monkeypatch.setenv("HOME", str(elsewhere))
        task = load_task(elsewhere / "task/task.toml")
        assert task.path("network", "~/here/two.csv") == str(elsewhere / "here/two.csv")
