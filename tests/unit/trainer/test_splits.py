"""Ways to divide a data set: disjoint, repeatable, and plain about what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import numpy as np
import pytest

from quant.errors import ConfigError, DataError
from quant.spikes import SPLITS, from_dense
from trainer.data.labelled import Labelled, check_labels, unnamed
from trainer.data.splits import BY_TAKE, Official, Partition, Random, Speakers, Utterances, divide
from trainer.schema import Named

CLASSES, PEOPLE, TAKES = 3, ("ann", "bob", "eve"), 10


def data(validation: bool = False) -> Labelled:
    """90 samples; sample `n` spikes in as many steps as the binary digits of `n` say, which tells it apart."""
    label, speaker, take = np.unravel_index(np.arange(90), (CLASSES, len(PEOPLE), TAKES))
    bits = np.arange(90)[None, :, None] >> np.arange(7)[:, None, None] & 1
    samples = from_dense(bits.astype(bool), np.full(90, 7), label)
    part = np.where(take < 2, "test", np.where(validation & (take == 9), "validation", "train"))
    return Labelled(samples, part, np.array(PEOPLE)[speaker], take)


PARTITIONS: list[Partition] = [
    Official(),
    Speakers(test=("bob",)),
    Speakers(test=("bob",), validation_speakers=("eve",)),
    Utterances(test=(3, 4)),
    Utterances(test=(3,), validation_utterances=(5, 6)),
    Random(test=0.2, validation=0.25),
]


@pytest.mark.parametrize("partition", PARTITIONS)
def test_parts_are_disjoint_complete_and_repeatable(partition: Partition) -> None:
    chosen = partition.choose(data())
    assert sorted(np.concatenate([chosen[split] for split in SPLITS])) == list(range(90))
    parts = divide(data(), partition)
    for split, samples in parts.items():
        assert len(samples) > 0
        assert (np.bincount(samples.label, minlength=3) == len(samples) // 3).all()  # here each class alike
        for number, index in enumerate(chosen[split]):
            events = slice(samples.offset[number], samples.offset[number + 1])
            assert sum(2 ** int(step) for step in samples.step[events]) == index
    for split, again in partition.choose(data()).items():
        np.testing.assert_array_equal(again, chosen[split])


def test_who_tests_and_who_validates() -> None:
    given = data()
    chosen = Speakers(test=("bob",), validation_speakers=("eve",)).choose(given)
    assert {split: set(given.speaker[index]) for split, index in chosen.items()} == {
        "train": {"ann"},
        "validation": {"eve"},
        "test": {"bob"},
    }
    chosen = Utterances(test=(3,), validation_utterances=(5, 6)).choose(given)
    assert set(given.utterance[chosen["test"]]) == {3}
    assert set(given.utterance[chosen["validation"]]) == {5, 6}
    assert set(given.part[Official().choose(given)["test"]]) == {"test"}


def test_the_data_sets_own_validation_part_is_taken() -> None:
    given = data(validation=True)
    chosen = Official(validation=0.5).choose(given)
    assert set(given.part[chosen["validation"]]) == {"validation"}
    assert len(chosen["validation"]) == 9


def test_fraction_and_seed_decide_the_validation_part() -> None:
    first, again, other = (Official(validation=0.25, seed=seed).choose(data()) for seed in (1, 1, 2))
    assert len(first["validation"]) == 18
    np.testing.assert_array_equal(first["validation"], again["validation"])
    assert (first["validation"] != other["validation"]).any()
    np.testing.assert_array_equal(first["test"], other["test"])
    assert (Random(seed=1).choose(data())["test"] != Random(seed=2).choose(data())["test"]).any()


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        (Speakers(test=("zoe",)), r"data.split.test: 'zoe' does not occur; there are ann, bob, eve"),
        (Speakers(test=("ann",), validation_speakers=("zoe",)), "data.split.validation_speakers: 'zoe'"),
        (Utterances(test=(10,)), "data.split.test: 10 does not occur; there are 0, 1, 2"),
        (Speakers(test=PEOPLE), "the train part of the 90 samples is empty"),
        (Speakers(test=("ann", "bob"), validation_speakers=("eve",)), "the train part"),
        (Random(validation=0.001), "the validation part"),
        (Random(test=0.001), "the test part"),
    ],
)
def test_impossible_splits_are_refused(partition: Partition, message: str) -> None:
    with pytest.raises(DataError, match=message):
        divide(data(), partition)


def test_without_a_test_part_the_official_split_draws_one() -> None:
    given = unnamed(data().samples, np.full(90, ""))
    assert [len(samples) for samples in divide(given, Official(validation=0.25, test=0.2)).values()] == [54, 18, 18]
    assert Official(test=0.2).choose(given)["test"].tolist() == Random(test=0.2).choose(given)["test"].tolist()


def test_lists_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ConfigError, match="'ann' is in test and in validation_speakers"):
        Speakers(test=("ann",), validation_speakers=("ann",))
    with pytest.raises(ConfigError, match="name the utterances that test"):
        Utterances(test=())


def test_a_table_names_the_split() -> None:
    hint = Annotated[Partition, Named(BY_TAKE)]
    rule = get_args(hint)[1]
    assert rule.parse({"name": "speakers", "test": ["bob"]}, "data.split") == Speakers(test=("bob",))
    with pytest.raises(ConfigError, match=r"data.split.name is 'half'; allowed is 'official' or"):
        rule.parse({"name": "half"}, "data.split")
    with pytest.raises(ConfigError, match="test is missing"):
        rule.parse({"name": "utterances"}, "data.split")
    assert {rule.name(kind()) for kind in (Official, Random)} == {"official", "random"}


def test_labels_beyond_the_classes_are_refused(tmp_path: Path) -> None:
    check_labels(tmp_path, np.array([0, 1]), ("a", "b"))
    with pytest.raises(DataError, match=r"sample 1 has label 2; classes are 0\.\.1"):
        check_labels(tmp_path, np.array([0, 2]), ("a", "b"))
