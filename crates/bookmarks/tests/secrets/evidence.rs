//! Everything that came out of a service: its outputs, its responses, its files.

use std::path::Path;

use reqwest::Response;

use crate::canary::Canaries;

/// What came out, and from where.
#[derive(Default)]
pub(crate) struct Evidence {
    texts: Vec<(String, String)>,
    count: Count,
}

/// How much there is to search.
#[derive(Debug, Default, Clone)]
pub(crate) struct Count {
    /// Outputs of processes, and files.
    pub(crate) outputs: usize,
    /// Answers to requests, with their headers.
    pub(crate) responses: usize,
    /// Answers of the metrics.
    pub(crate) metrics: usize,
    /// Lines in all.
    pub(crate) lines: usize,
    /// Lines at the level TRACE.
    pub(crate) trace: usize,
    /// Lines of dependencies, at whatever level.
    pub(crate) by_dependencies: usize,
}

impl Evidence {
    /// What a program wrote.
    pub(crate) fn output(&mut self, from: &str, text: &str) {
        let by_dependency = |line: &&str| {
            ["hyper", "hyper_util", "reqwest", "sqlx", "h2", "tower", "rustls"].iter().any(|name| {
                line.contains(&format!(" {name}:"))
                    || line.contains(&format!(" {name}::"))
                    || line.contains(&format!("\"{name}::"))
            })
        };
        self.count.outputs += 1;
        self.count.lines += text.lines().count();
        self.count.trace += text.lines().filter(|line| line.contains("TRACE")).count();
        self.count.by_dependencies += text.lines().filter(by_dependency).count();
        self.texts.push((from.to_owned(), text.to_owned()));
    }

    /// Every file of a folder, and what the files are called; but for those that are there to hold secrets.
    pub(crate) fn files(&mut self, folder: &Path, holds_secrets: fn(&str) -> bool) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if holds_secrets(&name) {
                continue;
            }
            if path.is_dir() {
                self.files(&path, holds_secrets);
            } else {
                self.output(&name, &String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
            }
        }
    }

    /// A response, read whole; returns its status.
    pub(crate) async fn record_response(&mut self, to: &str, response: Response) -> u16 {
        let (status, headers) = (response.status(), format!("{:?}", response.headers()));
        let text = response.text().await.unwrap();
        self.count.responses += 1;
        self.texts.push((format!("the answer to {to}"), format!("{status} {headers}\n{text}")));
        status.as_u16()
    }

    /// The figures for Prometheus.
    pub(crate) async fn record_metrics(&mut self, response: Response) {
        let text = response.text().await.unwrap();
        assert!(text.contains("http_server_request_duration_seconds_count"), "{text}");
        self.count.metrics += 1;
        self.texts.push(("the metrics".to_owned(), text));
    }

    pub(crate) fn count(&self) -> Count {
        self.count.clone()
    }

    /// Which secret is where, without the secret.
    pub(crate) fn search(&self, canaries: &Canaries) -> Vec<String> {
        let leaks = |(from, text): &(String, String)| -> Vec<String> {
            let found =
                canaries.each().filter_map(|(what, spelling)| Some((what, spelling, text.find(spelling)?)));
            let told = found.map(|(what, spelling, at)| {
                let before = text[..at].char_indices().rev().nth(150).map_or(0, |(at, _)| at);
                let line = text[before..at].rsplit('\n').next().unwrap_or_default();
                // What stands before one spelling may be another.
                let line = if canaries.each().any(|(_, other)| line.contains(other)) { "..." } else { line };
                format!("{what} ({} bytes) in {from}, behind: {line}", spelling.len())
            });
            told.collect()
        };
        self.texts.iter().flat_map(leaks).collect()
    }
}
