"""Retention: in a file of its own, for its minute is long enough to be played by one client only."""

from harness import Story, until


class Retention(Story):
    SLOW = True

    def test_a_message_older_than_the_retention_period_is_gone(self):
        queue = self.queue(MessageRetentionPeriod=60)
        self.send(queue, "short-lived")
        self.assertEqual(self.counts(queue), (1, 0, 0))
        until(lambda: self.counts(queue) == (0, 0, 0), "the message has expired", timeout_s=120)
        self.assertEqual(self.receive(queue), [])
