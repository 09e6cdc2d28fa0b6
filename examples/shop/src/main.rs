//! `cargo run -p shop`: everything in one process. `… -- api` and `… -- worker`: one of the two alone, as in production.
#![allow(clippy::print_stdout)] // it is what the terminal shows

use afterward::{
    Queue, Token,
    access::Access,
    notify::{self, Digest, Notifier},
    sqs::Client,
};
use afterward_server::{Config, Running, Server, StartError, config::Data};
use shop::{
    api::{Api, Ledger},
    callback::Callback,
    settings::{self, Stage},
    slack_stand_in::SlackStandIn,
    worker,
};
use std::{error::Error, future::Future, io::IsTerminal, process::ExitCode};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let colours = std::io::stdout().is_terminal();
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(colours).init();
    let part = std::env::args().nth(1);
    let outcome = match part.as_deref() {
        None => all().await,
        Some("api") => api(Stage::Production, None, asked_to_stop()).await,
        Some("worker") => work(Stage::Production, None).await,
        Some(other) => Err(format!("there is no part `{other}`: say `api`, `worker`, or nothing for both").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The API and the worker; with a server, unless the environment names one, and with a stand-in for Slack, unless it
/// names that.
async fn all() -> Outcome {
    let names_a_server = ["AFTERWARD_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL", "AFTERWARD_QUEUE_URL"];
    let server = match names_a_server.into_iter().find_map(settings::variable) {
        Some(_) => None,
        None => Some(serve().await?),
    };
    let client = server.as_ref().map(|server| Client::builder().endpoint(server.url()).build()).transpose()?;
    println!("The shop's API: http://{}", settings::listen());
    // The worker's handlers call the API back, so it is there until the worker has finished.
    let (at_work, finished) = oneshot::channel::<()>();
    let worker = async {
        let _at_work = at_work;
        work(Stage::Development, client.clone()).await
    };
    let until = async { finished.await.unwrap_or_default() };
    tokio::try_join!(api(Stage::Development, client.clone(), until), worker)?;
    if let Some(server) = server {
        server.stop().await;
    }
    Ok(())
}

/// A server in this process, with its data in the directory `SHOP_DATA`, else in a temporary one.
async fn serve() -> Result<Running, Box<dyn Error + Send + Sync>> {
    let data = settings::variable("SHOP_DATA").map_or(Data::Ephemeral, |directory| Data::Directory(directory.into()));
    let started = Server::start(Config { data, listen: Config::DEFAULT_LISTEN, ..Config::ephemeral() }).await;
    let server = started.map_err(|error| match error {
        StartError::Listen { listen, error } => format!(
            "the queues can't listen on {listen}: {error}. Does a shop or a server run already? Stop it, or set AFTERWARD_URL to the \
             address of the server to use"
        )
        .into(),
        other => Box::<dyn Error + Send + Sync>::from(other),
    })?;
    println!("The queues: {}", server.url());
    Ok(server)
}

/// The queue `jobs`, at the server in this process or where the environment says. It has to be there: a server of
/// Afterward's makes it, with a dead-letter queue.
async fn jobs(client: Option<Client>) -> Result<Queue, afterward::Error> {
    match client {
        Some(client) => Queue::named("jobs").client(client).await,
        None if settings::variable("AFTERWARD_QUEUE_URL").is_some() => Queue::from_env().await,
        None => Queue::named("jobs").await,
    }
}

async fn api(stage: Stage, client: Option<Client>, until: impl Future<Output = ()> + Send + 'static) -> Outcome {
    let (stripe_secret, keys) = (stage.stripe_secret()?.into(), stage.trusted_keys()?);
    let api = Api { queue: jobs(client).await?, ledger: Ledger::default(), stripe_secret };
    let access = Access::to(settings::AUDIENCE).trust(keys).subject(settings::SUBJECT);
    let listen = settings::listen();
    let listener = TcpListener::bind(&listen).await.map_err(|error| {
        format!("the API can't listen on {listen}: {error}. Set SHOP_LISTEN to another address, such as 127.0.0.1:3001")
    })?;
    axum::serve(listener, api.router(access)).with_graceful_shutdown(until).await?;
    Ok(())
}

async fn work(stage: Stage, client: Option<Client>) -> Outcome {
    let issuer = stage.issuer()?;
    let queue = jobs(client).await?;
    let slack = slack(stage).await?;
    let failures = Digest::new(slack.clone());
    let callback = Callback::new(&settings::api_url(), Token::new(issuer, settings::AUDIENCE))?;
    let ended = worker::worker(queue, callback, slack, &failures).stop_on(asked_to_stop()).run().await;
    failures.flush().await;
    ended?;
    Ok(())
}

/// Slack, as `SLACK_URL` says; else a stand-in in development, and in production nobody.
async fn slack(stage: Stage) -> Result<Notifier, Box<dyn Error + Send + Sync>> {
    if stage == Stage::Production || settings::variable("SLACK_URL").is_some() {
        return Ok(notify::slack()?);
    }
    Ok(notify::slack_at(SlackStandIn::start(|text| println!("[slack] {text}")).await?.url())?)
}

/// Ctrl-C, or what supervisors send.
async fn asked_to_stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => (),
        Ok(()) = tokio::signal::ctrl_c() => (),
    }
}
