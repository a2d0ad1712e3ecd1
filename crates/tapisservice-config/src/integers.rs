//! Whole numbers that are written with a fraction: `90.0` is an integer in Draft 7, and is one for a Rust type after this.

use serde_json::{Number, Value};

use crate::schema_node::SchemaNode;

/// Beyond this a float does not tell whole numbers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes whole numbers as such, wherever the schema asks for an integer.
pub(crate) fn normalize(value: &mut Value, node: &SchemaNode<'_>) {
    match value {
        Value::Number(number) => {
            if let Some(whole) = whole(number).filter(|_| asks_for_integer(node)) {
                *number = whole;
            }
        }
        Value::Array(items) => {
            items.iter_mut().enumerate().for_each(|(index, item)| normalize(item, &node.item(index)));
        }
        Value::Object(members) => {
            members.iter_mut().for_each(|(key, member)| normalize(member, &node.member(key)));
        }
        _ => {}
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the number is whole and below 2^53")]
fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() <= EXACT).then(|| Number::from(float as i64))
}

fn asks_for_integer(node: &SchemaNode<'_>) -> bool {
    node.types().is_some_and(|types| types.contains(&"integer") && !types.contains(&"number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use crate::schema_node::Applicability;
    use serde_json::json;

    #[test]
    fn only_whole_numbers_where_an_integer_is_asked_for_change() {
        let integer = json!({"type": "integer"});
        let number = json!({"type": ["integer", "number"]});
        let schema = json!({"properties": {"a": integer, "b": {"items": integer}, "c": number}});
        let schema = Schema::compile(schema).unwrap();
        let mut value = json!({"a": 90.0, "b": [1.0, 1.5, -2e3, 1e300], "c": 90.0, "d": 90.0});
        normalize(&mut value, &schema.root_node(Applicability::Certain));
        assert_eq!(value, json!({"a": 90, "b": [1, 1.5, -2000, 1e300], "c": 90.0, "d": 90.0}));
    }
}
