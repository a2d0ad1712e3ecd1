//! White space around a secret: the line end of `echo`, a blank of a copy. It is kept, since it may belong to the
//! secret, and pointed out, since it hardly ever does.

use serde_json::Value;

use crate::mask;
use crate::origin::Origins;
use crate::pointer;
use crate::schema::Schema;
use crate::schema_node::{Applicability, SchemaNode};

/// A warning for each secret that begins or ends with white space.
pub(crate) fn warnings(schema: &Schema, document: &Value, origins: &Origins) -> Vec<String> {
    let mut found = Vec::new();
    look(document, &schema.root_node(Applicability::Possible), "", false, &mut found);
    let warning = |(at, end): (String, &str)| {
        let origin = origins.of(&at).map(|origin| format!(" (from {origin})")).unwrap_or_default();
        format!("{at} {end} with white space{origin}; remove it unless it belongs to the secret")
    };
    found.into_iter().map(warning).collect()
}

fn look(
    value: &Value,
    node: &SchemaNode<'_>,
    at: &str,
    secret: bool,
    found: &mut Vec<(String, &'static str)>,
) {
    match value {
        // A private key ends with a line end.
        Value::String(text) if secret && !text.contains("-----END ") => {
            if text.trim_end() != text {
                found.push((at.to_owned(), "ends"));
            } else if text.trim_start() != text {
                found.push((at.to_owned(), "begins"));
            }
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
            look(item, &node.item(index), &pointer::item(at, index), secret, found);
        }),
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            let node = node.member(key);
            let secret = secret || mask::secret_by_schema_or_name(&node, Some(key));
            look(member, &node, &pointer::member(at, key), secret, found);
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn white_space_around_a_secret_is_pointed_out_and_elsewhere_is_not() {
        let schema = Schema::compile(json!({"properties": {"own": {"writeOnly": true}}})).unwrap();
        let document = json!({
            "service_password": "canary\n", "own": [" canary"], "db": {"token": "canary\t"}, "name": "x ",
            "api_key": "canary", "private_key": "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        });
        let mut warnings = warnings(&schema, &document, &Origins::default());
        warnings.sort_unstable();
        let starts = ["/db/token ends", "/own/0 begins", "/service_password ends"];
        assert_eq!(warnings.len(), starts.len(), "{warnings:?}");
        for (warning, start) in warnings.iter().zip(starts) {
            assert!(warning.starts_with(start) && !warning.contains("canary"), "{warning}");
        }
    }
}
