//! `igctl metrics diff`: look at both moments, compare, show.

use std::io;

use super::look::{Look, Opened};
use super::or_enough;
use crate::{
    collect::Collector,
    config::{Source, diff::DiffConfig},
    diff::{Fate, Side, diff},
    error::{Error, PARTIAL},
    render::{self, form, screen},
    shape::Shape,
};

pub(super) async fn run(config: &DiffConfig) -> Result<u8, Error> {
    let (before, shape_before) = look(&config.before).await?;
    let opened = Opened::open(&config.after, true).await?;
    let (after, shape) = look(&opened.source).await?;
    let diff = diff(
        Side { pods: &before.pods },
        Side { pods: &after.pods },
        shape.since(&shape_before),
        &config.compare,
    );
    or_enough(form::write(
        config.form,
        false,
        &mut io::stdout().lock(),
        |wide| render::diff::table(&diff, wide, screen::width()),
        || render::diff::document(&diff),
        || render::diff::records(&diff),
    ))?;
    let unread = |fate: &Fate| matches!(fate, Fate::Unread(_));
    Ok(match diff.pods.iter().any(|pod| unread(&pod.fate)) {
        true => PARTIAL,
        false => 0,
    })
}

async fn look(source: &Source) -> Result<(Look, Shape), Error> {
    let (look, shapes) = Look::take_with_shapes(&mut Collector::open(source).await?).await;
    look.tell();
    let mut shape = Shape::default();
    shapes.iter().for_each(|of_pod| shape.merge(of_pod));
    Ok((look.or_failure()?, shape))
}
