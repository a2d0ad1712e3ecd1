//! From `tracing` events to lines.

use std::sync::Arc;

use serde_json::Value;
use tapisservice_core::RequestContext;
use tracing::{
    Event, Level, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_log::NormalizeEvent;
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{
    LogFormat, LogLevel,
    fields::Fields,
    filter::Levels,
    human, json,
    line::Line,
    request::{self, Ids},
    sink::{Sink, Sinks},
};

/// Renders events and hands them to their sinks.
#[derive(Debug)]
pub(super) struct LogLayer {
    pub(super) levels: Arc<Levels>,
    pub(super) sinks: Sinks,
    pub(super) format: LogFormat,
}

/// The fields of a span, kept in its extensions. Shared, so that a line holds the lock only to count.
struct SpanFields(Arc<Fields>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let mut fields = Fields::with_capacity(attributes.metadata().fields().len());
        attributes.record(&mut fields);
        if let Some(span) = cx.span(id) {
            span.extensions_mut().replace(SpanFields(Arc::new(fields)));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        // NOTE: values are rendered before the extensions are locked: a panic inside a `Debug` is logged from
        // within this very span and would wait for that lock for ever.
        let mut newer = Fields::default();
        values.record(&mut newer);
        if let Some(span) = cx.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            Arc::make_mut(fields).merge(newer);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let bridged = event.normalized_metadata();
        let metadata = bridged.as_ref().unwrap_or_else(|| event.metadata());
        let mut fields = Fields::default();
        event.record(&mut fields);
        let critical = is_critical(&mut fields);
        if !critical && self.levels.of(metadata.target()) == LogLevel::Critical {
            return;
        }
        inherit(&mut fields, cx.event_scope(event).into_iter().flatten());
        let ids = RequestContext::current().map_or_else(
            |_| Ids::default(),
            |g| {
                request::add_target(&mut fields, &g);
                Ids::of(&g)
            },
        );
        let level = if critical { "CRITICAL" } else { name(*metadata.level()) };
        self.write(&Line::new(level, metadata.target(), fields, ids), metadata.target());
    }
}

impl LogLayer {
    fn write(&self, line: &Line, target: &str) {
        let sink: &Sink = self.sinks.of(target);
        sink.write_line(match self.format {
            LogFormat::Human => human::render(line, sink.colour),
            LogFormat::Json => json::render(line),
        });
    }
}

/// `critical = true` is a level, not a field.
fn is_critical(fields: &mut Fields) -> bool {
    if fields.get("critical") == Some(&Value::Bool(true)) {
        fields.take("critical");
        return true;
    }
    false
}

/// Adds the fields of the enclosing spans, innermost first.
fn inherit<'a, S: LookupSpan<'a> + 'a>(fields: &mut Fields, scope: impl Iterator<Item = SpanRef<'a, S>>) {
    for span in scope {
        if let Some(shared) = span.extensions().get().map(|SpanFields(fields)| Arc::clone(fields)) {
            fields.inherit(&shared);
        }
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}
