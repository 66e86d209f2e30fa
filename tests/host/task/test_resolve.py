from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clockfree.base.errors import InputError
from clockfree.task.resolve import resolve, resolve_physics
from clockfree.task.taskfile import load_task
from clockfree_model.ground import Ground
from clockfree_model.network import load
from clockfree_model.parts import POTS
from clockfree_model.physics import PRESETS
from clockfree_model.settings import ClampSettings

STEP_V = 5 / 4096
"""Step of the supervisor's DAC at 5 V: voltages are rounded to it, and 5 V itself to the step below."""


def dense_outputs(network, resistance_ohm, sources, targets, source_V):
    """Free outputs from the full Laplacian: every node that is no source obeys Kirchhoff's current law."""
    count = len(network.nodes)
    conductance = np.zeros((count, count))
    for (a, b), ohm in zip(network.ends, resistance_ohm, strict=True):
        conductance[[a, b], [b, a]] -= 1 / ohm
        conductance[[a, b], [a, b]] += 1 / ohm
    others = [node for node in range(count) if node not in sources]
    volts = np.zeros((count, len(source_V)))
    volts[list(sources)] = np.transpose(source_V)
    inflow = -conductance[np.ix_(others, sources)] @ volts[list(sources)]
    volts[others] = np.linalg.solve(conductance[np.ix_(others, others)], inflow)
    return volts[list(targets)].T


@pytest.fixture
def resolved(tmp_path):
    """A function from the text of a task to what it resolves to."""

    def resolved(text, **options):
        path = tmp_path / "task.toml"
        path.write_text(text, encoding="utf-8")
        task = load_task(path, options)
        return resolve(task, load(task.network_spec), resolve_physics(task, PRESETS), dense_outputs)

    return resolved


@pytest.fixture
def line_of(resolved, tmp_path):
    """A function from the text of a task to the one line that says what is wrong with it."""

    def line_of(text, **options):
        with pytest.raises(InputError) as raised:
            _ = resolved(text, **options).ground
        line = str(raised.value)
        assert "\n" not in line
        return line.removeprefix(f"{tmp_path / 'task.toml'}: ")

    return line_of


GIVEN = """
[placement]
sources = ["A", "C"]
targets = ["E"]
[[lesson]]
source_V = [[0.0, 5.0], [5.0, 0.0]]
desired_V = [[2.0], [3.0]]
"""
DRAWN = """
[placement]
sources = 2
targets = 3
[[lesson]]
teacher = true
"""
REGRESSION = """
[placement]
sources = ["D", "I", "C"]
targets = ["F", "A"]
[[lesson]]
[lesson.regression]
coefficients = [[0.2, 0.3], [0.1, 0.5]]
examples = 7
input_V = [0.5, 2.0]
"""
IRIS = """
[placement]
sources = 5
targets = 3
[[lesson]]
[lesson.classification]
data = "iris"
input_V = [0.5, 3.0]
"""


class TestGiven:
    def test_is_taken_as_it_stands(self, resolved):
        found = resolved("start_taps = 9\n" + GIVEN + "[edge]\nclock = 'periodic'\n[clamp]\neta = 1.0")
        assert (found.sources, found.targets) == ((0, 2), (4,))
        (lesson,) = found.lessons
        assert (lesson.name, lesson.from_updates) == ("lesson 1", 0.0)
        assert lesson.source_V.tolist() == [[0, 5 - STEP_V], [5 - STEP_V, 0]]
        assert lesson.desired_V == pytest.approx(np.array([[2], [3]]), abs=STEP_V / 2)
        assert (lesson.desired_V / STEP_V % 1 == 0).all()
        assert (found.edge.clock, found.edge.rate_hz, found.clamp.eta) == ("periodic", 10.0, 1.0)
        assert found.start_taps.tolist() == [9] * 16
        assert found.held_out == (None,)

    def test_sequence_and_damage(self, resolved):
        text = GIVEN + "[[lesson]]\nname = 'later'\nfrom_updates = 50\nteacher = true\n"
        text += "[[damage]]\nedges = ['E-B', 3]\nkind = 'cut'\nat_updates = 7.5\n"
        text += "[[damage]]\nedges = ['A-B']\nkind = 'stuck_b1'\nat_updates = 1\n"
        found = resolved(text)
        assert [(lesson.name, lesson.from_updates) for lesson in found.lessons] == [("lesson 1", 0), ("later", 50)]
        assert [(d.edge, d.kind, d.at_updates) for d in found.damage] == [
            (5, "cut", 7.5), (3, "cut", 7.5), (0, "stuck_b1", 1.0)
        ]  # fmt: skip


class TestDrawn:
    @given(st.integers(0, 2**60 - 1))
    @settings(max_examples=25, deadline=None)
    def test_any_task_seed_makes_a_task_within_the_supply(self, seed):
        task = load_task(Path(__file__).parents[3] / "examples/allostery.toml", {"task_seed": seed, "preset": "board"})
        found = resolve(task, load("lab16"), resolve_physics(task, PRESETS), dense_outputs)
        assert len({*found.sources, *found.targets}) == 3
        assert found.lessons[0].source_V == pytest.approx(np.array([[0.1, 3.2]]), abs=STEP_V / 2)  # the board's margin
        assert (0 <= found.lessons[0].desired_V).all()
        assert (found.lessons[0].desired_V <= 3.3).all()

    def test_the_task_seed_decides(self, resolved):
        first, again, other = (resolved(DRAWN, task_seed=seed) for seed in (5, 5, 6))
        assert (first.sources, first.targets) == (again.sources, again.targets) != (other.sources, other.targets)
        assert (first.lessons[0].desired_V == again.lessons[0].desired_V).all()

    def test_the_seed_of_the_run_does_not(self, resolved):
        assert (resolved(DRAWN, seed=1).lessons[0].desired_V == resolved(DRAWN, seed=2).lessons[0].desired_V).all()

    def test_stays_the_same_from_version_to_version(self, resolved):
        # Frozen on purpose: a task seed in somebody's record must go on meaning the same task.
        found = resolved(DRAWN)
        assert (found.sources, found.targets) == FROZEN[:2]
        assert found.lessons[0].desired_V == pytest.approx(np.array([FROZEN[2]]), abs=STEP_V)

    def test_every_placement_comes_up(self, resolved):
        drawn = {resolved(DRAWN, task_seed=seed).targets[0] for seed in range(200)}
        assert drawn == set(range(9))

    def test_a_further_lesson_moves_nothing(self, resolved):
        one = resolved(DRAWN)
        two = resolved(DRAWN + "[[lesson]]\nteacher = true\nfrom_updates = 3")
        assert (one.sources, one.targets) == (two.sources, two.targets)
        assert (one.lessons[0].desired_V == two.lessons[0].desired_V).all()
        assert not np.allclose(one.lessons[0].desired_V, two.lessons[1].desired_V)

    def test_names_are_kept_and_the_rest_is_drawn_from_what_is_left(self, resolved):
        for seed in range(20):
            found = resolved(DRAWN.replace("sources = 2", "sources = ['I', 'B']"), task_seed=seed)
            assert found.sources == (8, 1)
            assert len({*found.targets} - {8, 1}) == 3

    def test_a_teacher_answers_every_example(self, resolved):
        found = resolved(DRAWN + "source_V = [[0, 1], [1, 0], [1, 1]]")
        desired = found.lessons[0].desired_V
        assert desired[2] == pytest.approx(np.ones(3), abs=STEP_V)
        assert desired[0] + desired[1] == pytest.approx(np.ones(3), abs=STEP_V)

    def test_a_teacher_has_taps_from_the_lowest_to_the_highest(self, resolved, tmp_path):
        seen = []

        def watch(network, resistance_ohm, sources, targets, source_V):
            seen.append(resistance_ohm)
            return dense_outputs(network, resistance_ohm, sources, targets, source_V)

        (tmp_path / "task.toml").write_text(DRAWN)
        for preset, pot, lowest, highest, steps in (("ideal", "mcp42xx", 0, 127, 128), ("board", "x9c", 2, 99, 99)):
            seen.clear()
            task = load_task(tmp_path / "task.toml", {"preset": preset, "edge.pot": pot})
            physics = resolve_physics(task, PRESETS)
            found = resolve(task, load("square:50x50:periodic"), physics, watch)
            assert not seen, "solved before everything is checked"
            assert len(found.lessons) == 1
            taps = np.unique(seen[0])
            spare, wiper_ohm = (1, 0.0) if preset == "ideal" else (0, 75.0)
            every = np.arange(lowest, highest + 1) + spare
            assert taps == pytest.approx(wiper_ohm + every * 100e3 / steps)

    def test_one_edge(self, resolved):
        found = resolved("network = 'square:1x2'\n" + DRAWN.replace("2", "1").replace("3", "1"))
        assert found.lessons[0].source_V.tolist() == [[5 - STEP_V]]
        assert found.lessons[0].desired_V.tolist() == [[5 - STEP_V]]


class TestRegression:
    def test_table(self, resolved):
        lesson = resolved(REGRESSION).lessons[0]
        assert lesson.source_V.shape == (7, 3)
        inputs, reference = lesson.source_V[:, :2], lesson.source_V[:, 2]
        assert (reference == 0).all()
        assert (0.5 <= inputs).all()
        assert (inputs <= 2).all()
        assert lesson.desired_V[:, 0] == pytest.approx(0.2 * inputs[:, 0] + 0.3 * inputs[:, 1], abs=STEP_V)
        assert lesson.desired_V[:, 1] == pytest.approx(0.1 * inputs[:, 0] + 0.5 * inputs[:, 1], abs=STEP_V)

    def test_examples_come_from_the_task_seed(self, resolved):
        first, again, other = (resolved(REGRESSION, task_seed=seed).lessons[0].source_V for seed in (1, 1, 2))
        assert (first == again).all()
        assert not np.isclose(first[:, :2], other[:, :2]).any()


class TestGround:
    def test_what_lies_between_the_rails_is_left_alone(self, resolved):
        found = resolved(GIVEN)
        assert found.ground == Ground()
        assert resolved("preset = 'board'\n" + DRAWN).ground == Ground()

    @pytest.mark.parametrize(("preset", "lowest_V", "lift_V"), [("ideal", -1.0, 1.0), ("board", -0.5, 0.6)])
    def test_what_does_not_is_lifted_all_together(self, resolved, preset, lowest_V, lift_V):
        found = resolved(f"preset = '{preset}'\n" + REGRESSION + f"reference_V = [{lowest_V}]")
        assert found.ground.scale == 1
        physics = PRESETS[preset]
        assert found.ground.lift_V(physics) == pytest.approx(lift_V, abs=physics.supply_V / 4096)
        assert found.lessons[0].source_V[:, 2] == pytest.approx(lowest_V, abs=physics.supply_V / 8192)
        on_circuit = found.ground.on_circuit(found.lessons[0].source_V, physics)
        assert on_circuit.min() == pytest.approx(physics.margin_V, abs=physics.supply_V / 8192)

    def test_a_scale_that_is_written_is_between_the_task_and_the_circuit(self, resolved):
        text = GIVEN.replace("[5.0, 0", "[-2.0, 0")
        found = resolved("scale = 0.5\n" + text)
        assert found.ground.scale == 0.5 and found.ground.lift_V(PRESETS["ideal"]) == pytest.approx(1.0, abs=STEP_V)
        assert found.lessons[0].source_V == pytest.approx(np.array([[0.0, 5.0], [-2.0, 0.0]]), abs=STEP_V)
        wide = resolved("scale = 0.25\n" + DRAWN)
        assert np.ptp(wide.lessons[0].source_V) == pytest.approx(20.0, abs=5 * STEP_V)  # a task's own choice fills it


class TestClassification:
    def test_iris(self, resolved):
        found = resolved(IRIS)
        lesson, held_out = found.lessons[0], found.held_out[0]
        assert lesson.source_V.shape == (105, 5)
        assert held_out.source_V.shape == (45, 5)
        assert held_out.classes == ("setosa", "versicolor", "virginica")
        assert held_out.class_V.tolist() == [[3, 0.5, 0.5], [0.5, 3, 0.5], [0.5, 0.5, 3]]
        assert np.bincount(held_out.labels).tolist() == [15, 15, 15]
        assert (lesson.source_V[:, 4] == 0).all()
        assert lesson.source_V[:, :4].min(axis=0) == pytest.approx([0.5] * 4, abs=STEP_V)
        assert lesson.source_V[:, :4].max(axis=0) == pytest.approx([3] * 4, abs=STEP_V)
        assert held_out.majority == pytest.approx(1 / 3)
        assert 0.9 < held_out.logistic <= 1
        classes = np.unique(lesson.desired_V, axis=0)
        assert classes == pytest.approx(np.array([[0.5, 0.5, 3], [0.5, 3, 0.5], [3, 0.5, 0.5]]), abs=STEP_V)

    def test_outputs_for_each_class(self, resolved):
        text = IRIS.replace("targets = 3", "targets = 1")
        text += "class_V = { virginica = [2.5], setosa = [1.0], versicolor = [2.0] }"
        found = resolved(text)
        assert found.held_out[0].class_V.tolist() == [[1], [2], [2.5]]
        assert np.unique(found.lessons[0].desired_V) == pytest.approx([1, 2, 2.5], abs=STEP_V)


REFUSED = [
    # placement
    (GIVEN.replace('"C"', '"Z"'), "placement.sources.1: expected one of A, B, C, D, E, F, G, H, I, got 'Z'"),
    (GIVEN.replace('"E"', '"C"'), "placement.targets.0: expected a node with no other part, got C, already a source"),
    (GIVEN.replace('"C"', '"A"'), "placement.sources.1: expected a node with no other part, got A, already a source"),
    (DRAWN.replace("targets = 3", "targets = 8"),
     "placement.targets: expected at most 9 nodes to draw, as the network has, got 10"),
    (DRAWN.replace("sources = 2", "sources = 9").replace("3", "['A']"),
     "placement.sources: expected at most 8 nodes to draw, as the network has, got 9"),
    # volts and sizes
    (GIVEN.replace("3.0", "5.01"), "scale: expected voltages that span at most 4.999 V on the circuit, "
     "got 0 .. 5.01 V: write scale = 0.99"),
    (GIVEN.replace("[5.0, 0", "[-0.1, 0"), "scale: expected voltages that span at most 4.999 V on the circuit, "
     "got -0.1001 .. 5 V: write scale = 0.97"),
    ("preset = 'board'\n" + GIVEN, "scale: expected voltages that span at most 3.1 V on the circuit, "
     "got 0 .. 5 V: write scale = 0.61"),
    (GIVEN.replace("3.0", "101.0"), "lesson.0.desired_V.1.0: expected a voltage within -100..100 V, got 101"),
    (GIVEN.replace("[5.0, 0.0]", "[5.0]"), "lesson.0.source_V.1: expected 2 voltages, one for each source, got 1"),
    (GIVEN.replace("[3.0]", "[3.0, 1.0]"), "lesson.0.desired_V.1: expected 1 voltages, one for each target, got 2"),
    (GIVEN.replace(", [3.0]", ""), "lesson.0.desired_V: expected 2 examples, as source_V has, got 1"),
    # taps
    ("start_taps = 128\n" + GIVEN, "start_taps: expected 0..127, got 128"),
    ("start_taps = -1\n" + GIVEN, "start_taps: expected 0..127, got -1"),
    ("start_taps = 100\n" + GIVEN + "[edge]\npot = 'x9c'", "start_taps: expected 0..99, got 100"),
    ("preset = 'board'\nstart_taps = 1\n" + DRAWN, "start_taps: expected 2..127, got 1"),
    ("start_taps = [1, 2]\n" + GIVEN, "start_taps: expected 16 taps, one for each edge, got 2"),
    (f"start_taps = {[5] * 15 + [200]}\n" + GIVEN, "start_taps.15: expected 0..127, got 200"),
    # damage
    (GIVEN + "[[damage]]\nedges = ['A-B', 'A-F']\nkind = 'dead'\nat_updates = 0",
     "damage.0.edges.1: expected an edge such as A-B, got 'A-F' (did you mean E-F?)"),
    (GIVEN + "[[damage]]\nedges = [16]\nkind = 'dead'\nat_updates = 0",
     "damage.0.edges.0: expected an edge 0..15, got 16"),
    (GIVEN + "[[damage]]\nedges = ['C-D']\nkind = 'cut'\nat_updates = 9\n"
     "[[damage]]\nedges = ['D-F']\nkind = 'cut'\nat_updates = 0",
     "damage.1.edges: expected every node to keep a path to a source, got D cut off from every source"),
    (GIVEN + f"[[damage]]\nedges = {list(range(16))}\nkind = 'dead'\nat_updates = 0",
     "damage.0.edges: expected at least one edge left to learn, got none"),
    # regression
    (REGRESSION.replace("[0.1, 0.5]", "[0.1]"),
     "lesson.0.regression.coefficients.1: expected 2 numbers, as in the first row, got 1"),
    (REGRESSION.replace('["F", "A"]', '["F"]'),
     "lesson.0.regression.coefficients: expected 1 rows, one for each target, got 2"),
    (REGRESSION.replace(', "C"]', "]"), "lesson.0.regression.coefficients: expected 2 inputs and 1 reference_V to make "
     "the 2 sources of the placement"),
    (REGRESSION.replace("2.0]", "101.0]"),
     "lesson.0.regression.input_V.1: expected a voltage within -100..100 V, got 101"),
    (REGRESSION + "reference_V = [-5.0]", "scale: expected voltages that span at most 4.999 V on the circuit, "
     "got -5 .. 1.92 V: write scale = 0.72"),
    # classification
    (IRIS.replace('"iris"', '"none.csv"'),
     "none.csv: file: expected a readable data file, got No such file or directory"),
    (IRIS.replace("sources = 5", "sources = 4"), "lesson.0.classification.data: expected 4 features and 1 reference_V "
     "to make the 4 sources of the placement: features = [...] chooses some"),
    (IRIS.replace("3.0]", "5.5]"), "scale: expected voltages that span at most 4.999 V on the circuit, "
     "got 0 .. 5.5 V: write scale = 0.9"),
    (IRIS.replace("targets = 3", "targets = 1"),
     "lesson.0.classification.class_V: expected class_V, or 3 targets, one for each class, got 1"),
    (IRIS + "class_V = { rose = [1.0] }", "lesson.0.classification.class_V.rose: expected a class of the data "
     "(setosa, versicolor, virginica), got 'rose'"),
    (IRIS + "class_V = { setosa = [1.0, 1.0, 1.0] }",
     "lesson.0.classification.class_V: expected every class of the data, got none for 'versicolor'"),
    (IRIS + "class_V = { setosa = [1.0], versicolor = [1.0], virginica = [1.0] }",
     "lesson.0.classification.class_V.setosa: expected 3 voltages, one for each target, got 1"),
    # physics
    ("preset = 'best'\n" + GIVEN, "preset: expected ideal, paper, board, got 'best'"),
    (GIVEN + "[physics]\nsupply_V = 0", "physics.supply_V: expected a number > 0 and <= 100, got 0"),
    (GIVEN + "[physics]\nnoise_V = -0.1", "physics.noise_V: expected a number >= 0 and <= 100, got -0.1"),
    (GIVEN + "[physics]\nnoise_V = inf", "physics.noise_V: expected a finite number, got inf"),
    (GIVEN + "[physics]\nsupply_V = inf", "physics.supply_V: expected a finite number, got inf"),
    (GIVEN + "[physics]\nage_us = 1.5", "physics.age_us: expected an integer, got 1.5"),
    (GIVEN + "[physics]\nlimit_lowest = 1", "physics.limit_lowest: expected true or false, got 1"),
    (GIVEN + "[physics]\nsigma_kind = 'x'", "physics.sigma_kind: expected 'redrawn', 'fixed' or 'signed', got 'x'"),
    (GIVEN + "[physics]\nspare_taps = 0",
     "physics: expected a resistance above 0 at the lowest tap 0, got 0 ohm"),
    (GIVEN + "[physics]\nlimit_lowest = true\nrab_ohm = 100",
     "physics: expected a lowest tap (2.5 mA) of at most 127, got 2560"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), REFUSED)
def test_what_does_not_fit_is_said_in_one_line(line_of, text, line):
    found = line_of(text)
    assert found == line or (line.endswith("got ") and found.startswith(line))


def test_an_unknown_key_of_the_physics(line_of):
    line = line_of(GIVEN + "[physics]\nsupply = 3")
    assert line.startswith("physics.supply: expected one of supply_V, margin_V, rab_ohm, ")
    assert line.endswith(", got an unknown key (did you mean supply_V?)")


def test_a_network_in_pieces_and_a_target_cut_off(line_of, tmp_path):
    (tmp_path / "net.csv").write_text("A,B\nC,D\nA,E\n")
    spec = f"{tmp_path / 'net.csv'}: "
    assert line_of("network = 'net.csv'\n" + GIVEN.replace('"C"', '"B"')) == (
        f"{spec}edges: expected a network in one piece, or a source in each, got 2 pieces (A, B, E and C, D), "
        "none of C, D a source"
    )
    assert line_of("network = 'net.csv'\n" + GIVEN.replace('"C"', '"B"').replace('"E"', '"D"')) == (
        f"{spec}targets: expected a path to a source, got D cut off from every source"
    )


def test_presets_and_overrides(tmp_path):
    (tmp_path / "task.toml").write_text("preset = 'board'\n" + GIVEN + "[physics]\nnoise_V = 1")
    physics = resolve_physics(load_task(tmp_path / "task.toml", sets=["physics.limit_lowest=false"]), PRESETS)
    assert (physics.supply_V, physics.noise_V, physics.lowest_tap(POTS["mcp42xx"])) == (3.3, 1.0, 0)


FROZEN = ((3, 8), (7, 0, 1), (4.466452283912137, 4.488066440279719, 3.501343795971245))


def test_rounds_see_one_example_each_unless_the_task_says_otherwise(resolved):
    """By sync, p= and oscillators=; edges on their own clocks have the default dwell whatever their rate."""
    text = GIVEN + "[edge]\nrate_hz = 25.0\n"
    default_s = ClampSettings().dwell_s
    for rule, round_s in (("clockfree", default_s), ("sync", 0.04), ("p=0.1", 0.04), ("oscillators=0.5", 0.04)):
        assert resolved(text, rule=rule).clamp.dwell_s == round_s
        assert resolved(text + "[clamp]\ndwell_s = 0.03\n", rule=rule).clamp.dwell_s == 0.03
    assert resolved(text + "[clamp]\neta = 0.25\n", rule="sync").clamp == ClampSettings(eta=0.25, dwell_s=0.04)


def test_a_dwell_by_default_is_one_round_of_the_clocked_rules(resolved):
    """To the microsecond, so that none sees an example twice."""
    for rate_hz in (0.06, 3.0, 7.0, 9999.0):
        found = resolved(GIVEN + f"[edge]\nrate_hz = {rate_hz}\n", rule="sync")
        assert round(1e6 * found.clamp.dwell_s) == round(1e6 / rate_hz)


def test_a_clamp_is_asked_for_what_its_kind_has(resolved, line_of):
    said = 'clamp.gain: expected kind = "overclamp" beside it, or none with a nudge, got 2.0'
    assert line_of(GIVEN + "[clamp]\ngain = 2.0\n") == said
    found = resolved(GIVEN + '[clamp]\nkind = "overclamp"\ngain = 2.0\n').clamp
    assert (found.kind, found.gain, found.amplitude_V) == ("overclamp", 2.0, ClampSettings().amplitude_V)


def test_the_lift_of_a_task_leaves_room_for_the_amplitude(resolved):
    """Of a task between 0 and 1 V: 0.1 V is the margin, and 0.5 V below what is desired is held where that is 0.2 V."""
    given = """
network = "lab16"
preset = "board"
[placement]
sources = ["A", "C"]
targets = ["E"]
[[lesson]]
source_V = [[0.0, 1.0]]
desired_V = [[0.2]]
"""
    nudged, held = (
        resolved(given + clamp).ground for clamp in ("[clamp]\neta = 1.0\n", "[clamp]\namplitude_V = 0.5\n")
    )
    assert nudged.lift_steps == pytest.approx(0.1 / 3.3 * 4096, abs=1)
    assert held.lift_steps == pytest.approx(0.4 / 3.3 * 4096, abs=1)
