"""What is counted by the minute, as sums and differences."""

from statekeeper.store.minutes import Figures


def test_what_has_not_grown_is_not_named_and_nothing_is_false():
    counted = Figures({"applied": 5, "held": 1}, {"expired": 2}, [1, 2])
    before = Figures({"applied": 3, "held": 1}, {"expired": 2}, [1, 0])
    assert counted - before == Figures({"applied": 2}, {}, [0, 2])
    assert not counted - counted
    assert all((Figures({"applied": 1}), Figures({}, {"expired": 1}), Figures({}, {}, [0, 1])))


def test_buckets_that_one_side_lacks_are_empty_there():
    assert Figures({}, {}, [1]) + Figures({}, {}, [1, 2]) == Figures({}, {}, [2, 2])
    assert Figures() + Figures({}, {}, [1, 2]) == Figures({}, {}, [1, 2])
