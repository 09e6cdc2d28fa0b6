//! Standard queues: order, visibility, delay, retention.

use crate::script::check;

#[test]
fn messages_come_in_the_order_in_which_they_became_visible() {
    check(
        "create jobs
         receive jobs -> nothing
         send jobs a
         +1s
         send jobs b
         send jobs c
         counts jobs 3 0 0
         receive jobs max=2 for=10s -> a b
         counts jobs 1 0 2
         state jobs ready=c leased=a,b
         +1ms
         change jobs b 0s
         receive jobs max=10 for=5s -> c b(2)       // b queues behind c, which has been visible for longer
         delete jobs c
         receive jobs -> nothing
         +5s
         receive jobs -> b(3)
         +5s
         receive jobs max=10 for=1m -> a(2)
         counts jobs 0 0 2",
    );
}

#[test]
fn a_lease_ends_to_the_millisecond() {
    check(
        "create jobs visibility=30s
         send jobs a
         receive jobs -> a
         due 30s
         +29s
         +999ms
         receive jobs -> nothing
         due 1ms
         +1ms
         counts jobs 1 0 0
         receive jobs for=2s -> a(2)
         +2s
         receive jobs for=0s -> a(3)
         receive jobs -> a(4)",
    );
}

#[test]
fn a_message_is_delayed_as_it_says_or_else_as_its_queue_says() {
    check(
        "create jobs delay=10s
         send jobs a
         send jobs b delay=0s
         send jobs c delay=20s
         counts jobs 1 2 0
         state jobs ready=b delayed=a,c
         receive jobs max=10 for=1m -> b
         due 10s
         +10s
         receive jobs max=10 for=1m -> a
         +10s
         receive jobs max=10 for=1m -> c
         // On a standard queue, setting the delay leaves those be that wait.
         send jobs d
         set jobs delay=1s
         due 10s
         send jobs e
         due 1s",
    );
}

#[test]
fn retention_ends_messages_wherever_they_stand() {
    check(
        "create jobs retention=60s
         send jobs a
         send jobs b delay=15m
         send jobs c
         receive jobs for=10m -> a
         +59s
         +999ms
         counts jobs 1 1 1
         due 1ms
         +1ms
         counts jobs 0 0 0
         due never
         delete jobs a                                // gone, which is as good as deleted
         change jobs a 10s -> refused NotInFlight",
    );
}

#[test]
fn shortening_the_retention_ends_what_is_too_old_at_once_and_lengthening_keeps_it() {
    check(
        "create jobs retention=120s
         send jobs a
         +90s
         send jobs b
         set jobs retention=60s
         state jobs ready=b
         due 60s
         set jobs retention=1d
         +60s
         state jobs ready=b",
    );
}

#[test]
fn a_queue_wakes_its_waiters_when_something_is_there_for_them() {
    check(
        "create jobs
         create more
         woken
         send more a
         send jobs b
         send jobs c
         woken jobs more
         woken
         send jobs d delay=5s
         receive jobs max=10 for=10s -> b c
         woken
         +5s
         woken jobs
         receive jobs for=20s -> d
         +5s
         woken jobs                                   // the leases on b and c ended
         receive jobs max=2 for=20s -> b(2) c(2)
         change jobs c 0s
         woken jobs
         receive jobs -> c(3)
         +15s
         receive jobs -> d(2)
         woken                                        // what is taken again meanwhile wakes nobody",
    );
}

#[test]
fn what_was_first_received_when_stays_known() {
    let mut story = crate::script::Story::new();
    story.tell(
        "create jobs
         send jobs a
         +3s
         receive jobs for=1s -> a
         +5s
         receive jobs for=1s -> a(2)",
    );
    let (_, message) = story.messages("jobs").remove(0);
    assert_eq!(message.sent_ms, crate::world::START_MS);
    assert_eq!(message.first_received_ms, Some(crate::world::START_MS + 3000));
    assert_eq!(message.expires_ms, Some(crate::world::START_MS + 4 * 86_400_000));
    story.end();
}
