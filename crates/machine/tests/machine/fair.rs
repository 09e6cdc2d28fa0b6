//! Fair queues: a noisy group's messages wait while a quiet one's are there.

use crate::script::Story;

/// A queue with `in_flight` messages in flight, the last `leased` of group `a`; and a1, b1, a2, n1 waiting.
fn with_in_flight(leased: usize, in_flight: usize) -> Story {
    let mut story = Story::new();
    let mut script = "create jobs visibility=12h\n".to_owned();
    for n in 0..in_flight {
        let group = if n >= in_flight - leased { "group=a" } else { "" };
        script += &format!("send jobs s{n} {group}\nreceive jobs -> s{n}\n");
    }
    story.tell_quickly(&script);
    story.tell("send jobs a1 group=a\nsend jobs b1 group=b\nsend jobs a2 group=a\nsend jobs n1");
    story
}

#[test]
fn a_group_is_noisy_from_thirty_in_flight_that_are_more_than_a_tenth() {
    for (leased, in_flight, order) in [
        (29, 29, "a1 b1 a2 n1"),  // all that is in flight, but too few
        (30, 30, "b1 n1 a1 a2"),  // thirty
        (30, 300, "a1 b1 a2 n1"), // thirty, but a tenth only
        (31, 300, "b1 n1 a1 a2"), // more than a tenth
    ] {
        let mut story = with_in_flight(leased, in_flight);
        story.tell(&format!("receive jobs max=10 -> {order}"));
        story.end();
    }
}

#[test]
fn a_noisy_group_is_delivered_when_no_quiet_one_waits() {
    let mut story = with_in_flight(30, 30);
    story.tell(
        "receive jobs max=2 -> b1 n1
         receive jobs -> a1
         send jobs b2 group=b
         receive jobs max=3 -> b2 a2",
    );
    story.end();
}

#[test]
fn of_noisy_groups_the_one_with_the_fewest_in_flight_comes_first() {
    let mut story = with_in_flight(31, 31);
    for n in 0..30 {
        story.tell(&format!("send jobs c{n} group=c"));
    }
    story.tell("receive jobs max=10 -> b1 n1 c0 c1 c2 c3 c4 c5 c6 c7");
    story.tell("receive jobs max=10 -> c8 c9 c10 c11 c12 c13 c14 c15 c16 c17");
    story.tell("receive jobs max=10 -> c18 c19 c20 c21 c22 c23 c24 c25 c26 c27");
    // Until it has thirty in flight, c is quiet and comes first; then the two keep each other level.
    story.tell(
        "send jobs d1 group=d
         receive jobs max=4 -> c28 c29 d1 a1
         send jobs c30 group=c
         send jobs c31 group=c
         send jobs c32 group=c
         send jobs d2 group=d
         receive jobs max=4 -> d2 c30 c31 a2
         receive jobs max=4 -> c32",
    );
    story.end();
}

#[test]
fn a_group_becomes_quiet_when_its_messages_are_done() {
    let mut story = with_in_flight(30, 30);
    story.tell(
        "delete jobs s0
         receive jobs max=4 -> a1 b1 a2 n1",
    );
    story.end();
}

#[test]
fn a_group_is_noisy_that_took_more_than_a_tenth_of_the_recent_processing_time() {
    for (rest, order) in [
        ("15s", "b1 a1"), // 2 s of 19 s
        ("18s", "a1 b1"), // 2 s of 22 s
    ] {
        let mut story = Story::new();
        story.tell(&format!(
            "create jobs visibility=12h
             send jobs slow group=a
             send jobs quick
             receive jobs max=2 -> slow quick
             +2s
             delete jobs slow
             +{rest}
             delete jobs quick
             send jobs a1 group=a
             send jobs b1 group=b
             receive jobs max=2 -> {order}",
        ));
        story.end();
    }
}

#[test]
fn processing_time_of_long_ago_is_forgotten() {
    let mut story = Story::new();
    story.tell(
        "create jobs visibility=12h
         send jobs slow group=a
         receive jobs -> slow
         +1s
         delete jobs slow
         +9m
         send jobs a1 group=a
         send jobs b1 group=b
         receive jobs max=2 -> b1 a1
         change jobs a1 0s
         change jobs b1 0s
         +2m
         receive jobs max=2 -> a1(2) b1(2)",
    );
    story.end();
}
