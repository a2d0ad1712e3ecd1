//! Request bodies as sent; [`TryFrom`] converts them for the store.

use serde::{Deserialize, Deserializer};
use tapisservice::core::Error;
use tapisservice::utoipa::{self, ToSchema};

use crate::{
    BookmarkChanges, BookmarkName, Description, InvalidField, NewBookmark, SystemId, SystemPath, Tag, Tags,
};

/// The bookmark to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateBookmark {
    /// What you call it; unique among your bookmarks.
    #[schema(min_length = 1, max_length = 80, example = "results")]
    name: String,
    /// The system that the path is on.
    #[schema(min_length = 1, max_length = 80, example = "workstation")]
    system_id: String,
    /// The absolute path on the system.
    #[schema(min_length = 1, max_length = 4096, pattern = "^/", example = "/data/alice/results")]
    path: String,
    /// A description.
    #[serde(default)]
    #[schema(max_length = 2048, example = "The runs of last week")]
    description: Option<String>,
    /// Words to find it by, without commas and at most 40 characters each.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["simulation"]))]
    tags: Vec<String>,
}

/// The fields to change. Absent fields keep their values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateBookmark {
    /// The new name.
    #[serde(default, deserialize_with = "deserialize_present")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 80, example = "old results")]
    name: Option<String>,
    /// The new system.
    #[serde(default, deserialize_with = "deserialize_present")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 80, example = "workstation")]
    system_id: Option<String>,
    /// The new path.
    #[serde(default, deserialize_with = "deserialize_present")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 4096, pattern = "^/", example = "/data/alice/old")]
    path: Option<String>,
    /// The new description; null removes it.
    #[serde(default, deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<String>, required = false, max_length = 2048, example = "The runs of last month")]
    #[expect(clippy::option_option, reason = "null is not absence (RFC 7396)")]
    description: Option<Option<String>>,
    /// The new tags, which replace all existing ones.
    #[serde(default, deserialize_with = "deserialize_present")]
    #[schema(value_type = Vec<String>, required = false, max_items = 20, example = json!(["simulation", "old"]))]
    tags: Option<Vec<String>>,
}

impl TryFrom<CreateBookmark> for NewBookmark {
    type Error = Error;

    fn try_from(body: CreateBookmark) -> Result<Self, Error> {
        Ok(Self {
            name: at("/name", BookmarkName::new(body.name))?,
            system_id: at("/system_id", SystemId::new(body.system_id))?,
            path: at("/path", SystemPath::new(body.path))?,
            description: description(body.description)?,
            tags: tags(body.tags)?,
        })
    }
}

impl TryFrom<UpdateBookmark> for BookmarkChanges {
    type Error = Error;

    fn try_from(body: UpdateBookmark) -> Result<Self, Error> {
        Ok(Self {
            name: body.name.map(|text| at("/name", BookmarkName::new(text))).transpose()?,
            system_id: body.system_id.map(|text| at("/system_id", SystemId::new(text))).transpose()?,
            path: body.path.map(|text| at("/path", SystemPath::new(text))).transpose()?,
            description: body.description.map(description).transpose()?,
            tags: body.tags.map(tags).transpose()?,
        })
    }
}

fn description(text: Option<String>) -> Result<Option<Description>, Error> {
    text.map(|text| at("/description", Description::new(text))).transpose()
}

fn tags(texts: Vec<String>) -> Result<Tags, Error> {
    let tag = |(index, text)| at(&format!("/tags/{index}"), Tag::new(text));
    let tags = texts.into_iter().enumerate().map(tag).collect::<Result<Vec<_>, _>>()?;
    at("/tags", Tags::new(tags))
}

/// Adds the JSON pointer to an error, in the words of the extractor.
fn at<T>(pointer: &str, field: Result<T, InvalidField>) -> Result<T, Error> {
    field.map_err(|reason| Error::bad_input(format!("Invalid value at {pointer:?}: {reason}.")))
}

/// Distinguishes a null field from an absent one: a null must be valid for `T`.
fn deserialize_present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_not_absence() {
        let parse = |body| serde_json::from_value::<UpdateBookmark>(body);
        assert_eq!(parse(json!({})).unwrap().description, None);
        assert_eq!(parse(json!({"description": null})).unwrap().description, Some(None));
        assert!(parse(json!({"name": null})).is_err());
        assert!(parse(json!({"tags": null})).is_err());
    }
}
