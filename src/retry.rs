//! An API server that has too much to do turns requests away for the moment: they are made again while there is time,
//! and then its last answer counts.
//!
//! kube's own retries go on beyond every time limit, and what the server said is lost.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Request, Response, StatusCode};
use kube::client::Body;
use kube::{Client, Config};
use tokio::time::{Instant, sleep};
use tower::service_fn;

/// Before the first try after the first.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// A client that asks again for half of the time that a request has.
pub(crate) fn client(mut config: Config, time: Duration) -> kube::Result<Client> {
    config.default_retry = false;
    let namespace = config.default_namespace.clone();
    let once = Client::try_from(config)?;
    let service = service_fn(move |request| send(once.clone(), request, time / 2));
    Ok(Client::new(service, namespace))
}

async fn send(
    client: Client,
    mut request: Request<Body>,
    time: Duration,
) -> kube::Result<Response<Body>> {
    let end = Instant::now() + time;
    let mut wait = FIRST_WAIT;
    loop {
        let again = copy(&request);
        let answer = client.send(request).await?;
        wait = wait.max(asked_wait(&answer).unwrap_or_default());
        match again {
            Some(again) if is_busy(answer.status()) && Instant::now() + wait < end => {
                request = again
            }
            _ => return Ok(answer),
        }
        sleep(wait).await;
        wait *= 2;
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// How long the server asks to be left alone.
fn asked_wait(answer: &Response<Body>) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}

/// `None` for what is sent piece by piece.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}
