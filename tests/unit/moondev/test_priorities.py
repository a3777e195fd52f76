import pytest

from moondev.priorities import broker_priority


@pytest.mark.parametrize("urgency", range(10))
def test_brokers_count_in_opposite_directions(urgency):
    assert broker_priority(urgency, "amqp://broker//") == urgency
    assert broker_priority(urgency, "redis://broker/0") == 9 - urgency


@pytest.mark.parametrize("urgency", [-1, 10])
def test_refuses_an_urgency_outside_the_scale(urgency):
    with pytest.raises(ValueError, match=f"urgency={urgency}: allowed is 0"):
        broker_priority(urgency, "amqp://broker//")
