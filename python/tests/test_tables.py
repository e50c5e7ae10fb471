"""Tests the module on files that surmise writes. Set SURMISE to the binary, or add the binary to the PATH."""

import os
import subprocess

import pandas as pd
import pytest
import surmise

PROGRAM = os.environ.get("SURMISE", "surmise")


def run(*arguments):
    subprocess.run([PROGRAM, "-q", *arguments], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def profiles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    run("measure", "minigpt-1", "minigpt-2", "--corpus", "countries", "--shots", "1,2", "--sets", "4",
        "--queries", "4", "--random-init", "on", "-o", str(folder))
    return folder


def test_headline_rows_are_those_of_the_most_shots_after_the_first_block(profiles):
    rows = surmise.load(profiles)
    assert set(rows["shots"]) == {2} and rows["block"].min() == 2
    assert set(rows["model"]) == {"minigpt-1", "minigpt-2"}
    # The mean of these rows is the headline, which is also in summaries.csv.
    summaries = pd.read_csv(profiles / "summaries.csv")
    for model, own in rows.groupby("model"):
        headline = summaries.query("model == @model and shots == 2")["share_mean"].item()
        assert own["macro_share"].mean() == pytest.approx(headline, abs=1e-12)


def test_flags_mark_shares_that_are_not_above_chance_or_random_init(profiles, tmp_path):
    rows = surmise.load(profiles)
    for _, row in rows.iterrows():
        assert ("not_above_chance" in row["flags"]) == (row["macro_share"] < 1.96 * row["macro_share_stderr"])
    table = pd.read_csv(profiles / "profiles.csv")
    table["macro_share"] = 0.0
    table.to_csv(tmp_path / "profiles.csv", index=False)
    assert all("not_above_chance" in flags for flags in surmise.load(tmp_path)["flags"])


def test_flags_of_positional_profiles_are_those_of_the_file(tmp_path):
    run("measure", "minigpt-1", "minigpt-2", "--corpus", "colours", "--estimand", "positional",
        "--windows", "60", "--entities", "2", "-o", str(tmp_path))
    rows = surmise.load(tmp_path)
    raw = pd.read_csv(tmp_path / "profiles.csv")
    assert len(rows) == raw["is_headline"].sum() > 0
    words = {word for cells in raw["macro_flags"].dropna() for word in cells.split()}
    assert words and {word for flags in rows["flags"] for word in flags} <= words | set(
        " ".join(raw["micro_flags"].dropna().astype(str)).split())


def test_a_model_with_the_name_na_is_not_a_missing_value(tmp_path):
    (tmp_path / "a.csv").write_text("model,y_hat\nNA,1.5\n,\n")
    table = surmise.load_all(tmp_path)["a.csv"]
    assert table["model"][0] == "NA" and pd.isna(table["model"][1]) and pd.isna(table["y_hat"][1])


def test_predictions_have_errors_if_there_is_a_measurement(tmp_path):
    (tmp_path / "predictions.csv").write_text(
        "target_model,y_hat,low,high,measured,status\na,0.5,0.4,0.6,0.55,ok\nb,0.5,0.4,0.6,0.7,ok\n"
        "c,,,,0.1,unsupported\nd,0.5,0.4,0.6,,ok\n"
    )
    rows = surmise.predictions(tmp_path)
    assert rows["error"].round(9).tolist()[:2] == [-0.05, -0.2]
    assert rows["inside"].tolist()[:2] == [True, False] and rows["inside"].isna().tolist()[2:] == [True, True]
    assert rows["error"].isna().tolist()[2:] == [True, True]


def test_a_folder_without_tables_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="profiles.csv"):
        surmise.load(tmp_path)
    assert surmise.load_all(tmp_path) == {}
