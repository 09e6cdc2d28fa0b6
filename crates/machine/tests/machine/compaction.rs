//! Compaction: what is written forward is enough, whatever happens meanwhile.

use crate::script::Story;
use crate::world::digest;

#[test]
fn everything_that_stands_survives_any_number_of_compactions() {
    let mut story = Story::new();
    story.tell(
        "create dead
         create last dlq=dead:1
         create jobs dlq=last:1 visibility=10s
         create q.fifo dedup=content
         send jobs a job
         send jobs b group=g
         send jobs c delay=5m
         send q.fifo x group=g
         send q.fifo y group=g
         receive jobs -> a
         change jobs a 0s failure
         receive jobs -> b
         receive q.fifo attempt=t -> x
         compact
         state last ready=a
         state jobs delayed=c leased=b
         state q.fifo leased=x behind=y
         receive q.fifo attempt=t -> x
         receive last for=1s -> a(2)
         compact
         +1s
         receive last -> nothing
         state dead ready=a
         compact
         compact
         job a dead(2) failed
         receive dead -> a(3)
         delete q.fifo x
         compact
         receive q.fifo attempt=t -> y
         send q.fifo z group=h body=x -> same x
         delete dead a
         drop last
         compact
         +5m
         state jobs ready=b,c",
    );
    story.end();
}

#[test]
fn what_happens_between_definitions_and_trimming_is_not_lost() {
    let mut story = Story::new();
    story.tell(
        "create dead
         create jobs dlq=dead:1 visibility=10s
         send jobs a
         send jobs b
         send jobs c job
         send jobs d
         receive jobs max=3 -> a b c",
    );
    story.world.define();
    story.tell(
        "delete jobs c
         send jobs e                                  // in the slot that c has left
         change jobs a 0s failure
         +10s
         receive jobs -> d
         create more
         move dead
         run",
    );
    for records in [3, 2, 50] {
        story.world.forward(records);
        story.tell("send more m\nreceive more -> m\ndelete more m");
    }
    story.world.forward(usize::MAX);
    assert_eq!(digest(&story.world.state, true), digest(&story.world.replayed(), true));
    story.tell(
        "job c succeeded(1)
         state jobs ready=b,e,a leased=d
         state dead
         moved dead 1/1 completed",
    );
    story.end();
}
