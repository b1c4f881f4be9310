//! What was good, read from where it was saved.

use crate::baseline::{Baseline, Level, Names, is_report};
use crate::collect::Collector;
use crate::command::look::Look;
use crate::config::Source;
use crate::error::Error;
use crate::verdict::Evidence;

pub(super) async fn read(source: &Source) -> Result<Baseline, Error> {
    let mut collector = Collector::open(source).await?;
    let moment = collector.collect().await;
    if let [file] = &moment.pods[..]
        && let Ok(page) = &file.page
        && is_report(&page.body)
    {
        return Baseline::from_report(&page.body).map_err(|fault| Error::Baseline {
            file: file.pod.full_name(),
            fault,
        });
    }
    let (look, shapes) = Look::with_shapes(moment, collector.is_dated());
    let look = look.or_failure()?;
    let evidence = Evidence {
        now: &look.pods,
        before: None,
        min_samples: 0.0,
    };
    Ok(Baseline {
        gap: evidence.gap(),
        levels: Level::all(&look.pods),
        names: Some(Names::of(&look.pods, &shapes)),
    })
}
