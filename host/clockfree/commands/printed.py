"""What commands print, for whoever reads it by a program: the topics `output` and `json` of `clockfree help`."""

OUTPUT = {
    "stdout": "what was found, and nothing else: a table, or with --json one object on one line",
    "stderr": "how a command gets on (a bar on a terminal, a few lines elsewhere), warnings, and errors in one line",
    "--quiet": "errors and warnings on stderr, nothing else; on stdout what was made, a folder or a file, or nothing",
    "status 0": "done",
    "status 1": "it ran, but something failed, or what was asked about is not so",
    "status 2": "bad input: one line on stderr names the file, the key and what was expected",
    "status 130": "interrupted; what was measured until then is kept",
}

OBJECTS = {
    "run": "run (its folder), task, network, nodes, edges, bench, rule, preset, seed, task_seed, firings, steps, "
    "updates_per_edge, initial_error_V2, final_error_V2, best_error_V2, predicted_error_V2 (by the law of "
    "the floor), n_r_tau (decisions under way at once), wall_s, virtual_s; of boards wall_time_s in place "
    "of virtual_s, and boards, restarts, lost_lines, warnings, failures; resumed (how often) and notes, where there "
    "are any; where only samples are known "
    "sampling_error_V2; of a classification accuracy, training_accuracy, majority_accuracy, "
    "logistic_accuracy; with --seeds run, task, network, bench, rule, preset, task_seed, seeds, "
    "updates_per_edge, final_error_V2 (of each), geometric_mean_V2, interval_V2, best_error_V2",
    "show": "the same",
    "resume": "the same",
    "sweep": "sweep, results (a netCDF file), axes (of each, how many values), points, done, failed",
    "compare": "run, bench, error_V2, sim_error_V2 (of every simulated run), rank, within; of two runs: runs "
    "(of each the same), same_task, ratio, interval, better (null where nobody can say)",
    "independence": "recorded, counted, observed, independent; where it can say: edges, firings, correlation, "
    "correlation_limit, pair, coincidences, coincidences_limit, fano, lag1; where it cannot: why",
    "predict": "task, bench, edges, updates, measured (keys of the physics that the bench told), error_V2 (median), "
    "interval_V2 (of 90%), best_error_V2, takes_s, near_end_updates, n_r_tau, limits, without (by imperfection, "
    "how many times the error without it, and the interval of 95%), without_all",
    "place": "written, placements, within_reach, near_V, best",
    "infer": "run, data, answers (a row each)",
    "test": "what was asked on a data set, and how well it was answered",
    "check": "run, checked, lines, broken, uncounted, problem, sound",
    "read": "of a run: run, lesson, updates_per_edge, readings (a node each), of boards edges; of a bench: boards, "
    "edges, nodes, with --watch an object a line",
    "boards": "boards: of each board, port, hello, problem",
    "flash": "boards: of each board, error, copied, removed, unchanged, sent, seconds, hello",
    "hold": "boards: of each board, was (unknown: it answered nothing, and Ctrl-C stopped it), run, error",
    "stop": "host (pid, killed; null where nobody ran them), boards as of hold",
    "doctor": "bench, well (whether nothing is wrong), circuit_unknown (why it was not examined), boards: of each "
    "board, edges, findings (of each kind, what, advice), facts (what was measured), verdict",
    "bench": "bench (its file), supervisor, edges, left_over",
    "virtual": "bench (its file), ports (of each board); printed when they are up",
    "examples": "examples: of each name, kind, what, file; with --to copied, a list of files",
    "new": "file, task (as TOML has it)",
    "paper": "figures: of each name, files, seen (of what it must show, whether it does)",
    "version": "clockfree; with --verbose installed, code (versions and digests), system, terminal, environment, "
    "cache, virtual boards, ports",
    "help": "topics: of each name, what, text, facts, listed",
}
"""Keys of the object that each command prints; null is a number that is not known."""
