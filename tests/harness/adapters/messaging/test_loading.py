from __future__ import annotations

import pytest

from sample_systems.quick_relayer import VERBS, every_stack
from shardproof.adapter import capabilities
from shardproof.errors import UsageError
from shardproof.loading import load


class TestLoading:
    @every_stack
    def test_has_the_verbs_of_its_stack(self, stack: str) -> None:
        """
        An adapter overrides what its stack has, and nothing else; the name says which stack that is.
        """
        adapter = load(f"reference:{stack}")()

        assert capabilities(adapter) == VERBS[stack]
        assert (type(adapter).name, type(adapter).stack) == (f"reference:{stack}", stack)

    def test_an_unknown_stack_is_answered_with_the_nearest(self) -> None:
        """
        Whoever mistypes a stack is told which there are.
        """
        with pytest.raises(UsageError, match="no reference follows the stack 'ibc-unorderd'") as error:
            load("reference:ibc-unorderd")
        assert "ibc-unordered" in str(error.value)
