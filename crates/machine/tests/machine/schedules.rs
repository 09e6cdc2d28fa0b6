//! Schedules, as stories: what the model leaves out.

use crate::world::{START_MS, World};
use afterward_machine::{Command, Reply, ScheduleId};
use afterward_names::{ScheduleAddress, ScheduleArn, ScheduleGroupArn};
use std::collections::BTreeMap;

fn schedule(number: u32) -> ScheduleAddress {
    let arn = format!("arn:aws:scheduler:us-east-1:000000000000:schedule/many/{number}");
    arn.parse::<ScheduleArn>().map(|arn| arn.0).expect("a schedule's ARN")
}

fn create(world: &mut World, number: u32) -> ScheduleId {
    let next_ms = Some(START_MS + u64::from(number));
    match world.run(&Command::CreateSchedule { schedule: schedule(number), definition_bytes: 1, next_ms }) {
        Ok(Reply::Schedule(id)) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_group_of_many_goes_by_rounds_each_bounded_and_goes_on_after_a_replay() {
    let group = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/many".parse::<ScheduleGroupArn>().unwrap().0;
    let mut world = World::new();
    world.run(&Command::CreateScheduleGroup { group: group.clone(), tags: BTreeMap::new() }).unwrap();
    for number in 0..2500 {
        create(&mut world, number);
    }
    world.run(&Command::DeleteScheduleGroup { group: group.clone() }).unwrap();
    let view = world.state.schedule_group_at(&group).unwrap();
    assert_eq!((view.deleting, view.schedules, world.state.schedule_count()), (true, 1500, 1500));
    for refused in [
        Command::CreateScheduleGroup { group: group.clone(), tags: BTreeMap::new() },
        Command::CreateSchedule { schedule: schedule(9999), definition_bytes: 1, next_ms: None },
        Command::UntagScheduleGroup { group: group.clone(), keys: Vec::new() },
    ] {
        assert_eq!(world.run(&refused), Err(afterward_machine::Refusal::ScheduleGroupDeleting), "{refused:?}");
    }
    // What is left still runs and can be seen, as on AWS.
    assert!(world.state.next_schedule_ms().is_some());
    world.run(&Command::DeleteScheduleGroup { group: group.clone() }).unwrap();
    world.compact();
    world.state = world.replayed();
    for left in [500, 0] {
        assert!(world.state.has_groups_to_sweep());
        world.run(&Command::SweepScheduleGroups).unwrap();
        assert_eq!(world.state.schedule_count(), left);
    }
    assert!(!world.state.has_groups_to_sweep());
    assert_eq!((world.state.schedule_group_at(&group), world.state.next_schedule_ms()), (None, None));
    world.run(&Command::SweepScheduleGroups).unwrap();
    world.verify();
}

#[test]
fn a_schedule_of_the_same_name_and_slot_is_another_one() {
    let mut world = World::new();
    let group = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/many".parse::<ScheduleGroupArn>().unwrap().0;
    world.run(&Command::CreateScheduleGroup { group, tags: BTreeMap::new() }).unwrap();
    let first = create(&mut world, 1);
    world.run(&Command::DeleteSchedule { schedule: schedule(1) }).unwrap();
    let second = create(&mut world, 1);
    assert_eq!(first.slot, second.slot);
    assert_ne!(first, second);
    assert_eq!(world.state.schedule(first), None);
    assert_eq!(ScheduleId::from_u64(second.as_u64()), second);
    world.verify();
}

#[test]
fn what_schedules_take_in_memory_is_given_back() {
    let mut world = World::new();
    let group = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/many".parse::<ScheduleGroupArn>().unwrap().0;
    world.run(&Command::CreateScheduleGroup { group: group.clone(), tags: BTreeMap::new() }).unwrap();
    let before = world.state.memory().schedules_bytes;
    for number in 0..10_000 {
        create(&mut world, number);
    }
    let each = (world.state.memory().schedules_bytes - before) / 10_000;
    assert!((72..120).contains(&each), "{each} bytes");
    world.run(&Command::DeleteScheduleGroup { group }).unwrap();
    while world.state.has_groups_to_sweep() {
        world.run(&Command::SweepScheduleGroups).unwrap();
    }
    assert!(world.state.memory().schedules_bytes < before + 40_000);
    assert_eq!(world.state.definition_bytes(), 0);
}
