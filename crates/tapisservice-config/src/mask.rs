//! The printed form of a configuration, without its secrets (C8).
//!
//! A value is secret when a schema marks it (`writeOnly: true` or `format: password`, behind `$ref`,
//! `allOf` or an alternative, too), when its key is `service_password` or that of a database URL, when its
//! key says so and the schema does not state `writeOnly: false`, and when its text looks like a
//! credential; which names and texts those are, [`secrets`](tapisservice_core::secrets) knows. Everything within a
//! secret is secret. Database URLs are masked as a whole: the name of a host is of little use there and a
//! password with an unescaped `@` or `/` cannot be cut out reliably.
//!
//! Why not the annotations of jsonschema's `evaluate`: a schema that fails has none, nor has what stands beside
//! a `$ref` or in an alternative that does not match. A configuration with an error would show its secrets.

use serde_json::Value;
use tapisservice_core::secrets::{
    MASK, Naming, is_always_secret, is_private_jwk_member, looks_secret, naming,
};

use crate::pointer;
use crate::schema::Schema;
use crate::schema_node::{Applicability, SchemaNode};

/// The document with `***` for every secret.
pub(crate) fn masked(schema: &Schema, value: &Value) -> Value {
    mask(value, &schema.root_node(Applicability::Possible), None)
}

/// Whether what lies at the pointer, or anything it lies in, is secret by its schema or its name.
pub(crate) fn is_secret(schema: &Schema, pointer: &str) -> bool {
    let mut node = schema.root_node(Applicability::Possible);
    for key in pointer::keys(pointer) {
        node = node.step(&key);
        if secret_by_schema_or_name(&node, Some(&key)) {
            return true;
        }
    }
    false
}

/// Whether the document without its secrets differs from it.
pub(crate) fn holds_secret(schema: &Schema, value: &Value, pointer: &str) -> bool {
    is_secret(schema, pointer) || masked(schema, value).pointer(pointer) != value.pointer(pointer)
}

fn mask(value: &Value, node: &SchemaNode<'_>, key: Option<&str>) -> Value {
    if secret_by_schema_or_name(node, key) && !is_harmless(value, node, key) {
        return Value::String(MASK.to_owned());
    }
    match value {
        Value::String(text) if looks_secret(text) => Value::String(MASK.to_owned()),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            Value::Array(items.map(|(index, item)| mask(item, &node.item(index), None)).collect())
        }
        Value::Object(members) => {
            let masked = |key: &String, member| {
                if is_private_jwk_member(members, key) {
                    return Value::String(MASK.to_owned());
                }
                mask(member, &node.member(key), Some(key))
            };
            Value::Object(members.iter().map(|(key, member)| (key.clone(), masked(key, member))).collect())
        }
        scalar => scalar.clone(),
    }
}

/// Whether the schema or the key says that what lies there is secret.
pub(crate) fn secret_by_schema_or_name(node: &SchemaNode<'_>, key: Option<&str>) -> bool {
    node.is_marked_secret()
        || key.is_some_and(|key| {
            is_always_secret(key) || (naming(key) != Naming::Open && !node.is_marked_open())
        })
}

/// A switch or a number that has to do with a secret by its name only, such as `use_token` or
/// `token_ttl_seconds`, gives nothing away.
fn is_harmless(value: &Value, node: &SchemaNode<'_>, key: Option<&str>) -> bool {
    let harmless = match value {
        Value::Bool(_) | Value::Null => true,
        Value::Number(_) => key.is_some_and(|key| !naming(key).hides_numbers()),
        _ => false,
    };
    harmless && !node.is_marked_secret()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CANARY: &str = "canary-4711";

    fn hidden(schema: Value, value: &Value) -> bool {
        let schema = Schema::compile(schema).unwrap();
        !masked(&schema, value).to_string().contains("4711")
    }

    #[test]
    fn marks_are_found_wherever_they_stand() {
        let secret = json!({"type": "string", "writeOnly": true});
        let password = json!({"format": "password"});
        let cases = [
            (json!({"properties": {"a": secret}}), json!({"a": CANARY})),
            (json!({"properties": {"a": password}}), json!({"a": CANARY})),
            (json!({"properties": {"a": {"writeOnly": true}}}), json!({"a": {"b": [CANARY]}})),
            (json!({"properties": {"a": {"writeOnly": true}}}), json!({"a": 4711})),
            (json!({"properties": {"a": {"items": secret}}}), json!({"a": [CANARY]})),
            (json!({"properties": {"a": {"items": [{}, secret]}}}), json!({"a": [1, CANARY]})),
            (json!({"patternProperties": {"^a": secret}}), json!({"ab": CANARY})),
            (json!({"properties": {"a": {"additionalProperties": secret}}}), json!({"a": {"b": CANARY}})),
            (
                json!({"definitions": {"d": secret}, "properties": {"a": {"$ref": "#/definitions/d"}}}),
                json!({"a": CANARY}),
            ),
            (
                json!({"definitions": {"d": {}}, "properties": {"a": {"$ref": "#/definitions/d", "writeOnly": true}}}),
                json!({"a": CANARY}),
            ),
            (json!({"allOf": [{"properties": {"a": {"allOf": [secret]}}}]}), json!({"a": CANARY})),
            (json!({"properties": {"a": {"oneOf": [secret, {"type": "null"}]}}}), json!({"a": CANARY})),
            (json!({"if": {}, "then": {"properties": {"a": secret}}}), json!({"a": CANARY})),
            (json!({"dependencies": {"b": {"properties": {"a": secret}}}}), json!({"a": CANARY})),
        ];
        for (schema, value) in cases {
            assert!(hidden(schema.clone(), &value), "{schema}");
        }
    }

    #[test]
    fn names_and_texts_give_secrets_away() {
        for key in [
            "service_password",
            "sql_db_url",
            "DATABASE_URL",
            "dsn",
            "ldapPassword",
            "aws-secret",
            "privateKey",
            "api_key",
            "x.token",
            "postgres_pass",
            "credentials",
            "SIGNING_KEYS",
            "PGPASSWORD",
            "dbpassword",
            "dbpass",
            "authkey",
            "client_key",
            "clientKey",
            "bearer",
            "cookie",
            "hmac",
            "otp",
            "pin",
            "ssh_private",
            "Authorization",
            "auth",
            "pw",
            "salt",
            "webhook_key",
            "license_key",
            "mtls_key",
        ] {
            assert!(hidden(json!({}), &json!({key: CANARY})), "{key}");
            assert!(hidden(json!({}), &json!({"deep": [{key: {"x": CANARY}}]})), "{key}");
        }
        for text in [
            "postgres://user:canary-4711@host/db",
            "https://4711@host",
            "host=db password=4711",
            "amqp://u:p/4711@h",
            "-----BEGIN PRIVATE KEY-----4711",
            "eyJ4711.a.b",
            "Bearer canary-4711",
            "Basic canary-4711",
            "Bearer 4711",
            "Server=h;Pwd=4711;",
            "AccountName=a;AccountKey=canary4711==",
            "https://h/p?token=4711",
            "https://h/p?api_key=4711",
            "client-key-data: LS4711",
            "PGPASSWORD=4711",
            "host=h user=u password = 4711",
            "PASSWORD = 4711",
            "Server=h;Password =4711;",
            "Server=h;Pwd = 4711",
            "u:4711@h:5432/db",
            "//u:4711@h/x",
            "https://acct.test/c?sv=2020&sig=c4711",
            "https://b.test/k?X-Amz-Signature=c4711",
            "https://maps.test/x?key=c4711",
            "https://h/x?tok%65n=4711",
            "https://h/?sessionid=c4711",
            "https://h/?code=c4711",
            "ldap://h?bindpw=4711",
            "SharedAccessSignature sr=x&sig=c4711",
            "Authorization: Token 4711",
            "Bearer\n4711",
            "secret: 4711",
            "client_secret = 4711",
            "--password 4711",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n4711",
            "ghp_c4711c4711c4711c4711c4711c4711c4711",
            "AKIA4711471147114711",
            "https://hooks.slack.com/services/T4711/B4711/c4711",
        ] {
            assert!(hidden(json!({}), &json!({"plain": text})), "{text}");
        }
        for jwk in [json!({"kty": "oct", "k": CANARY}), json!({"kty": "RSA", "d": CANARY, "n": "x"})] {
            assert!(hidden(json!({}), &json!({"plain": jwk})), "{jwk}");
        }
    }

    #[test]
    fn what_is_open_stays_open() {
        let schema =
            json!({"properties": {"token_url": {"writeOnly": false}, "sql_db_url": {"writeOnly": false}}});
        for value in [
            json!({"token_url": "https://4711"}),
            json!({"compass": CANARY}),
            json!({"key": CANARY}),
            json!({"public_key": CANARY}),
            json!({"tenants": [CANARY]}),
            json!({"passthrough": 4711}),
            json!({"mail": "a@4711"}),
            json!({"k": CANARY, "d": CANARY}),
            json!({"plain": "Basic english since 4711"}),
            json!({"plain": "/etc/canary:4711/x@y"}),
        ] {
            assert!(!hidden(schema.clone(), &value), "{value}");
        }
        assert!(hidden(schema, &json!({"sql_db_url": CANARY})));
        let schema = Schema::compile(json!({})).unwrap();
        assert_eq!(masked(&schema, &json!({"use_token": true})), json!({"use_token": true}));
    }

    #[test]
    fn numbers_that_are_no_secret_are_shown() {
        let schema = Schema::compile(json!({"properties": {"x_token_size": {"writeOnly": true}}})).unwrap();
        let open =
            json!({"service_token_ttl_seconds": 1, "x_token_leeway_seconds": 2.5, "max_token_bytes": 3});
        assert_eq!(masked(&schema, &open), open);
        for secret in [json!({"pin": 4711}), json!({"db_password": 4711}), json!({"x_token_size": 4711})] {
            assert!(!masked(&schema, &secret).to_string().contains("4711"), "{secret}");
        }
    }

    #[test]
    fn a_pointer_is_secret_with_what_it_lies_in() {
        let schema = Schema::compile(
            json!({"properties": {"a": {"items": {"properties": {"b": {"writeOnly": true}}}}}}),
        )
        .unwrap();
        assert!(is_secret(&schema, "/a/0/b/c"));
        assert!(is_secret(&schema, "/x/password"));
        assert!(!is_secret(&schema, "/a/0"));
    }
}
