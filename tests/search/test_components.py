"""The search among components that are no networks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import tinysearch as ts
from tinysearch.core.errors import UserError
from tinysearch.search.known.pareto import is_nondominated

BREWS = {f"bean {i}": 0.15 + 0.5 * ((7 * i) % 11) / 11 for i in range(11)}
MILLS = {f"mill {i}": 0.1 + 0.6 * ((5 * i) % 7) / 7 for i in range(7)}


def free(parts):
    if parts.get("mill") == "mill 3":
        return None
    bean, mill = (int(parts.get(kind, "x 0").split()[1]) for kind in ("bean", "mill"))
    return {"price": 20.0 - bean + 2 * mill, "taste": 1.0 + (3 * bean) % 7 + mill}


def coffee(**changes):
    given = {
        "components": {"mill": list(MILLS), "bean": list(BREWS)},
        "combine": lambda mill, bean: np.sqrt(mill * bean),
        "free": free,
        "objectives": {"price": "minimize", "taste": "maximize"},
    }
    return ts.SearchProblem(**(given | changes))


def test(kind: str, name: str) -> float:
    return {"bean": BREWS, "mill": MILLS}[kind][name]


test.__test__ = False


def best(tested: dict[str, list[str]]) -> set[tuple[str, str]]:
    pairs = [p for p in itertools.product(tested["bean"], tested["mill"]) if p[1] != "mill 3"]
    values = [free({"bean": b, "mill": m}) for b, m in pairs]
    points = [[(BREWS[b] * MILLS[m]) ** 0.5, v["price"], -v["taste"]] for (b, m), v in zip(pairs, values, strict=True)]
    return {pair for pair, kept in zip(pairs, is_nondominated(points, keep_equals=True), strict=True) if kept}


def test_the_front_is_that_of_all_that_was_tested_and_most_is_found_with_few_tests():
    problem = coffee(seed=3)
    tested = {"bean": [], "mill": []}

    def noted(kind, name):
        assert name not in tested[kind], "nothing is tested twice"
        tested[kind].append(name)
        return test(kind, name)

    front = problem.run(noted)
    assert "mill 3" not in tested["mill"], "it goes with nothing"
    found = {(each.parts["bean"], each.parts["mill"]) for each in front}
    assert found == best(tested)
    assert all(each.values == free(dict(each.parts)) for each in front)
    assert [each.result for each in front] == sorted(each.result for each in front)
    whole = best({"bean": list(BREWS), "mill": list(MILLS)})
    assert len(whole) > 5 and len(found & whole) >= 0.6 * len(whole)


def test_what_was_told_before_is_told_again_and_the_limit_is_kept():
    first, again = coffee(), coffee()
    told = [(kind, name) for kind, name in (("mill", "mill 0"), ("bean", "bean 2"), ("bean", "bean 7"))]
    for kind, name in told:
        first.tell(kind, name, test(kind, name))
    for kind, name in told:
        again.tell(kind, name, test(kind, name))
    assert first.next() == first.next() == again.next()
    turned = coffee(components={"bean": list(BREWS)[::-1], "mill": list(MILLS)[::-1]})
    for kind, name in told:
        turned.tell(kind, name, test(kind, name))
    assert turned.next() == first.next()  # whatever order components are given in
    count = []
    again.run(lambda kind, name: count.append(name) or test(kind, name), at_most=6)
    assert len(count) == 3


def test_kinds_may_make_combinations_alone():
    problem = coffee(combinations=[["bean"], ["mill", "bean"]], combine=lambda *tests: np.prod(tests, axis=0))
    for kind, name in (("bean", "bean 1"), ("mill", "mill 2")):
        problem.tell(kind, name, test(kind, name))
    front = {tuple(sorted(each.parts)): each.result for each in problem.front()}
    assert front == pytest.approx({("bean",): BREWS["bean 1"], ("bean", "mill"): BREWS["bean 1"] * MILLS["mill 2"]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": {"price": "least"}}, "minimize or maximize"),
        ({"objectives": {}}, "minimize or maximize"),
        ({"combinations": [["bean", "milk"]]}, "got milk"),
        ({"free": lambda parts: None}, "must go together"),
        ({"free": lambda parts: {"price": 1.0}}, "a number for taste"),
        ({"worst": 0.0}, "worst must be"),
        ({"components": {"bean": ["robusta"], "grinder": [], "mill": {"flat": 1.0}}}, "got grinder"),
    ],
)
def test_what_makes_no_problem_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        coffee(**changes)


def test_what_makes_no_test_is_refused():
    with pytest.raises(UserError, match="must be of a component"):
        coffee().tell("bean", "bean 99", 0.2)
    for result in (0.0, 1.5, float("nan")):
        with pytest.raises(UserError, match="above 0"):
            coffee().tell("bean", "bean 1", result)


@pytest.mark.parametrize(
    ("combine", "told"),
    [
        (max, "np.maximum"),
        (lambda mill, bean: math.sqrt(mill * bean), "np.sqrt"),
        (lambda mill: mill, "mill, bean"),
        (lambda mill, bean: float(np.mean(mill * bean)), "shape ()"),
    ],
)
def test_what_takes_no_arrays_is_found_before_anything_is_tested(combine, told):
    with pytest.raises(UserError, match="combine must") as caught:
        coffee(combine=combine)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("result", "remedy"),
    [(0.0, "is less where"), (math.nan, "is less where"), ("0.5", "is less where"), (2, "raise worst")],
)
def test_a_result_out_of_bounds_is_told_with_what_helps(result, remedy):
    with pytest.raises(UserError, match=remedy):
        coffee().tell("bean", "bean 1", result)


def test_a_text_is_no_list_of_names():
    with pytest.raises(UserError, match="mill: fine"):
        coffee(components={"mill": "fine", "bean": list(BREWS)})


def test_a_search_that_stops_sooner_tests_less():
    tested = {}
    for share in (1e-4, 0.05):
        problem, tested[share] = coffee(stop_share=share), []
        problem.run(lambda kind, name, into=tested[share]: (into.append(name), test(kind, name))[1])
    assert 0 < len(tested[0.05]) < len(tested[1e-4])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"combine": lambda mill, bean: mill * bean * math.nan}, "combine must give a number from 0; got nan of"),
        ({"combine": lambda mill, bean: mill - bean - 1.0}, "combine must give a number from 0; got -"),
        ({"combinations": [["mill", "mill"]]}, "a combination must have one component of a kind; got mill . mill"),
        ({"free": lambda parts: {"price": "3", "taste": 1.0}}, "free must give a number for price; got 3 of"),
        ({"free": lambda parts: 3.0}, "free must give a number for price; got 3.0 of"),
        (
            {"components": {"mill": dict.fromkeys(MILLS, math.nan), "bean": list(BREWS)}},
            "must be a number from 0; got nan",
        ),
        ({"worst": None}, "worst must be a positive number; got None"),
        ({"stop_share": "little"}, "sampler.stop_share must be a share from 0 to less than 1; got little"),
    ],
)
def test_what_is_no_problem_is_refused_in_words_of_the_problem(changes, message):
    with pytest.raises(UserError, match=message):
        coffee(**changes).run(test)


@pytest.mark.parametrize("at_most", [-1, 2.5, "three"])
def test_a_number_of_tests_is_a_whole_one(at_most):
    with pytest.raises(UserError, match="at_most must be a whole number from 0"):
        coffee().run(test, at_most=at_most)


@pytest.mark.parametrize("shift", [-40.0, -17.0, -9.0, 0.0, 30.0])
@pytest.mark.parametrize("unit", [1.0, 1e-13, 1e6])
@pytest.mark.parametrize("way", ["minimize", "maximize"])
def test_free_objectives_of_either_sign_and_of_any_size_are_told_apart(shift, unit, way):
    beans = list(BREWS)
    gain = {bean: unit * ((3 * i + 8) % 17 + shift) for i, bean in enumerate(beans)}
    problem = ts.SearchProblem(
        components={"bean": beans},
        combine=lambda bean: bean,
        free=lambda parts: {"gain": gain[parts["bean"]]},
        objectives={"gain": way},
    )
    for bean in beans:
        problem.tell("bean", bean, BREWS[bean])
    found = {each.parts["bean"]: each.values["gain"] for each in problem.front()}
    points = [[BREWS[bean], gain[bean] * (1 if way == "minimize" else -1)] for bean in beans]
    best = [bean for bean, kept in zip(beans, is_nondominated(points), strict=True) if kept]
    assert len(best) > 1 and found == {bean: gain[bean] for bean in best}


def test_of_a_component_that_is_tested_again_the_last_result_counts():
    problem, other = coffee(), coffee()
    for kind, name in (("mill", "mill 0"), ("bean", "bean 2"), ("bean", "bean 7")):
        problem.tell(kind, name, 0.9)
        problem.front()
    problem.next()
    for kind, name in (("mill", "mill 0"), ("bean", "bean 2"), ("bean", "bean 7")):
        for told in (problem, other):
            told.tell(kind, name, test(kind, name))
    assert problem.front() == other.front()
    assert {each.parts["bean"] for each in problem.front()} == {
        bean for bean, mill in best({"bean": ["bean 2", "bean 7"], "mill": ["mill 0"]})
    }
    assert problem.next() == other.next()


def test_components_may_be_numbers_and_none_among_names():
    problem = ts.SearchProblem(
        components={"psram": [None, 2, 8, "any"], "cores": [2, 1]},
        combine=np.minimum,
        free=lambda parts: {"price": 1.0 + parts.pop("cores")},  # and free may take its parts to pieces
        objectives={"price": "minimize"},
    )
    for name in (None, 2, 8, "any"):
        problem.tell("psram", name, 0.5)
    for cores in (1, 2):
        problem.tell("cores", cores, 0.4 / cores)
    front = [(each.parts["cores"], each.result, each.values["price"]) for each in problem.front()]
    assert front == [(2, 0.2, 3.0), (1, 0.4, 2.0)]


def test_a_result_of_which_nothing_can_be_made_is_not_told():
    problem = coffee(combine=lambda mill, bean: bean - mill)
    problem.tell("mill", "mill 0", 0.2)
    problem.tell("bean", "bean 1", 0.5)
    for _ in range(2):
        with pytest.raises(UserError, match="a number from 0"):
            problem.tell("bean", "bean 2", 0.1)
    problem.tell("bean", "bean 3", 0.6)
    assert {each.parts["bean"] for each in problem.front()} == {"bean 1", "bean 3"}
