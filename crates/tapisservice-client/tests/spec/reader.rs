//! Sloppy files, and what comes out of each: the operations as the index writes them.

use tapisservice_client::spec::Resource;
use tapisservice_client::{ClientError, UnknownOperation};

struct Case {
    name: &'static str,
    text: &'static str,
    operations: &'static [&'static str],
}

const PLAIN: &[&str] = &[r#"{"id":"list","method":"GET","path":"/v3/notes"}"#];
const ONE_ID: &[&str] =
    &[r#"{"id":"one","method":"GET","path":"/v3/notes/{id}","parameters":[{"name":"id","in":"path"}]}"#];
const LIMIT: &[&str] = &[
    r#"{"id":"list","method":"GET","path":"/v3/notes","parameters":[{"name":"limit","in":"query","kind":"integer"}]}"#,
];
const LIMIT_REQUIRED: &[&str] = &[
    r#"{"id":"list","method":"GET","path":"/v3/notes","parameters":[{"name":"limit","in":"query","kind":"integer","required":true}]}"#,
];
const TITLE: &[&str] = &[
    r#"{"id":"add","method":"POST","path":"/v3/notes","body":{"forms":[{"type":"application/json","required":{"title":"string"}}]}}"#,
];
const FREE: &[&str] =
    &[r#"{"id":"add","method":"POST","path":"/v3/notes","body":{"forms":[{"type":"application/json"}]}}"#];

/// Files as people have them: most break a strict reader.
const CASES: &[Case] = &[
    Case {
        name: "openapi, info, servers and responses are missing",
        text: "paths:\n  /v3/notes:\n    get:\n      operationId: list\n",
        operations: PLAIN,
    },
    Case {
        name: "the version is a number",
        text: "openapi: 3.0\ninfo: {version: 1}\npaths: {/v3/notes: {get: {operationId: list}}}",
        operations: PLAIN,
    },
    Case {
        name: "JSON with a comma too many and a comment",
        text: "{\"paths\": {\"/v3/notes\": {\"get\": {\"operationId\": \"list\",},},}, # the end\n}",
        operations: PLAIN,
    },
    Case {
        name: "JSON indented with tabs",
        text: "{\n\t\"paths\": {\n\t\t\"/v3/notes\": {\"get\": {\"operationId\": \"list\"}}\n\t}\n}",
        operations: PLAIN,
    },
    Case {
        name: "a byte order mark",
        text: "\u{feff}paths: {/v3/notes: {get: {operationId: list}}}",
        operations: PLAIN,
    },
    Case {
        name: "Windows line ends",
        text: "paths:\r\n  /v3/notes:\r\n    get:\r\n      operationId: list\r\n",
        operations: PLAIN,
    },
    Case {
        name: "an empty document first, and another one after",
        text: "---\n---\npaths: {/v3/notes: {get: {operationId: list}}}\n---\nother: 1\n",
        operations: PLAIN,
    },
    Case { name: "/v3 is missing", text: "paths: {/notes: {get: {operationId: list}}}", operations: PLAIN },
    Case {
        name: "the leading slash is missing",
        text: "paths: {notes: {get: {operationId: list}}}",
        operations: PLAIN,
    },
    Case {
        name: "methods in capitals, and keys that are no methods",
        text: "paths: {/v3/notes: {GET: {operationId: list}, summary: x, x-internal: {a: 1}, servers: []}}",
        operations: PLAIN,
    },
    Case {
        name: "extensions among the paths, empty paths and unknown keys",
        text: "paths: {x-kong: 1, /v3/none: null, /v3/notes: {get: {operationId: list, x-a: 1, foo: {bar: 2}}}}",
        operations: PLAIN,
    },
    Case {
        name: "responses whose keys are numbers",
        text: "paths: {/v3/notes: {get: {operationId: list, responses: {200: {description: ok}, 404: null}}}}",
        operations: PLAIN,
    },
    Case {
        name: "responses that are broken",
        text: "paths: {/v3/notes: {get: {operationId: list, responses: [nothing, {$ref: 7}]}}}",
        operations: PLAIN,
    },
    Case {
        name: "a key twice: the last one counts",
        text: "paths: {/v3/notes: {get: {operationId: old, operationId: list}}}",
        operations: PLAIN,
    },
    Case {
        name: "a path twice keeps the methods of both",
        text: "paths:\n  /v3/notes: {get: {operationId: list}}\n  /v3/notes: {delete: {operationId: clear}}\n",
        operations: &[
            r#"{"id":"clear","method":"DELETE","path":"/v3/notes"}"#,
            r#"{"id":"list","method":"GET","path":"/v3/notes"}"#,
        ],
    },
    Case {
        name: "the operationId is missing, or empty, or there is no operation to speak of",
        text: r#"{"paths": {"/v3/notes/{id}": {"get": {}, "put": {"operationId": " "}, "delete": null}}}"#,
        operations: &[
            r#"{"id":"delete_notes_id","method":"DELETE","path":"/v3/notes/{id}","parameters":[{"name":"id","in":"path"}]}"#,
            r#"{"id":"get_notes_id","method":"GET","path":"/v3/notes/{id}","parameters":[{"name":"id","in":"path"}]}"#,
            r#"{"id":"put_notes_id","method":"PUT","path":"/v3/notes/{id}","parameters":[{"name":"id","in":"path"}]}"#,
        ],
    },
    Case {
        name: "the operationId is a number",
        text: "paths: {/v3/notes: {get: {operationId: 42}}}",
        operations: &[r#"{"id":"42","method":"GET","path":"/v3/notes"}"#],
    },
    Case {
        name: "a path parameter is not declared",
        text: r#"{"paths": {"/v3/notes/{id}": {"get": {"operationId": "one"}}}}"#,
        operations: ONE_ID,
    },
    Case {
        name: "a path parameter is declared under another name",
        text: r#"{"paths": {"/v3/notes/{id}": {"get": {"operationId": "one",
            "parameters": [{"name": "noteId", "in": "path"}]}}}}"#,
        operations: ONE_ID,
    },
    Case {
        name: "a path parameter that is said not to be required",
        text: r#"{"paths": {"/v3/notes/{id}": {"get": {"operationId": "one",
            "parameters": [{"name": "id", "in": "path", "required": false, "schema": {"type": "string"}}]}}}}"#,
        operations: ONE_ID,
    },
    Case {
        name: "a template with a converter, as web frameworks write it",
        text: r#"{"paths": {"/v3/files/{rest:path}": {"get": {"operationId": "get"}}}}"#,
        operations: &[
            r#"{"id":"get","method":"GET","path":"/v3/files/{rest}","parameters":[{"name":"rest","in":"path","slashes":true}]}"#,
        ],
    },
    Case {
        name: "a trailing path keeps its slashes, one in the middle does not",
        text: r#"{"paths": {"/v3/{path}/x/{outputPath}": {"get": {"operationId": "get"}}}}"#,
        operations: &[
            r#"{"id":"get","method":"GET","path":"/v3/{path}/x/{outputPath}","parameters":[{"name":"path","in":"path"},{"name":"outputPath","in":"path","slashes":true}]}"#,
        ],
    },
    Case {
        name: "required as a text",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: limit, in: query, required: 'True', schema: {type: integer}}]}}}",
        operations: LIMIT_REQUIRED,
    },
    Case {
        name: "required as a number, the location in capitals, the type in another language",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: limit, in: Query, required: 1, schema: {type: int}}]}}}",
        operations: LIMIT_REQUIRED,
    },
    Case {
        name: "the location is missing",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: limit, schema: {type: integer}}]}}}",
        operations: LIMIT,
    },
    Case {
        name: "the type beside the name, as in Swagger 2",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: limit, in: query, type: integer, format: int32}]}}}",
        operations: LIMIT,
    },
    Case {
        name: "types as a list with null, as in OpenAPI 3.1",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: limit, in: query, schema: {type: [integer, 'null']}}]}}}",
        operations: LIMIT,
    },
    Case {
        name: "anyOf with null, as pydantic writes it",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: limit, in: query, schema: {anyOf: [{type: integer}, {type: 'null'}]}}]}}}",
        operations: LIMIT,
    },
    Case {
        name: "nullable, and the type in an enumeration only",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: limit, in: query, schema: {nullable: true, enum: [1, 2, null]}}]}}}",
        operations: LIMIT,
    },
    Case {
        name: "parameters of the path",
        text: "paths: {/v3/notes: {parameters: [{name: limit, in: query, schema: {type: integer}}], get: {operationId: list}}}",
        operations: LIMIT,
    },
    Case {
        name: "parameters of the path that the operation replaces",
        text: "paths: {/v3/notes: {parameters: [{name: limit, in: query}], get: {operationId: list, parameters: [{name: limit, in: query, schema: {type: integer}}]}}}",
        operations: LIMIT,
    },
    Case {
        name: "a parameter twice: the last one counts",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: limit, in: query}, {name: limit, in: query, schema: {type: integer}}]}}}",
        operations: LIMIT,
    },
    Case {
        name: "parameters as a mapping by name",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: {limit: {in: query, schema: {type: integer}}}}}}",
        operations: LIMIT,
    },
    Case {
        name: "parameters that are null",
        text: "paths: {/v3/notes: {parameters: null, get: {operationId: list, parameters: [null], requestBody: null}}}",
        operations: PLAIN,
    },
    Case {
        name: "a parameter by reference, with more beside it",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{$ref: '#/components/parameters/l', required: true}]}}}\ncomponents: {parameters: {l: {name: limit, in: query, schema: {$ref: '#/components/schemas/N'}}}, schemas: {N: {type: integer}}}",
        operations: LIMIT_REQUIRED,
    },
    Case {
        name: "references with escapes, over several steps",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{$ref: '#/components/parameters/a~1b%20c'}]}}}\ncomponents: {parameters: {a/b c: {$ref: '#/components/parameters/l'}, l: {name: limit, in: query, schema: {type: integer}}}}",
        operations: LIMIT,
    },
    Case {
        name: "a parameter in another file, and one that is nowhere",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{$ref: 'other.yml#/x'}, {$ref: '#/components/parameters/none'}]}}}",
        operations: PLAIN,
    },
    Case {
        name: "a path by reference",
        text: "paths: {/v3/notes: {$ref: '#/components/pathItems/notes'}}\ncomponents: {pathItems: {notes: {get: {operationId: list}}}}",
        operations: PLAIN,
    },
    Case {
        name: "a path in another file is left out",
        text: "paths: {/v3/notes: {get: {operationId: list}}, /v3/other: {$ref: 'other.yml'}}",
        operations: PLAIN,
    },
    Case {
        name: "references in a circle",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{$ref: '#/components/parameters/a'}]}}}\ncomponents: {parameters: {a: {$ref: '#/components/parameters/b'}, b: {$ref: '#/components/parameters/a'}}}",
        operations: PLAIN,
    },
    Case {
        name: "headers that only credentials write",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: X-Tapis-Token, in: header, required: true}, {name: Authorization, in: header}, {name: Accept, in: header}]}}}",
        operations: PLAIN,
    },
    Case {
        name: "styles of the specification, misspelt ones and those of another place",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: a, in: query, style: pipe-delimited}, {name: b, in: query, style: matrix}, {name: c, in: query, style: fancy, explode: 'false'}, {name: d, in: query, style: deepObject, explode: true}, {name: e, in: cookie}, {name: f, in: header, explode: true}]}}}",
        operations: &[
            r#"{"id":"list","method":"GET","path":"/v3/notes","parameters":[{"name":"a","in":"query","kind":"any","style":"pipeDelimited"},{"name":"b","in":"query","kind":"any"},{"name":"c","in":"query","kind":"any","explode":false},{"name":"d","in":"query","kind":"any","style":"deepObject","explode":true},{"name":"e","in":"cookie","kind":"any"},{"name":"f","in":"header","kind":"any","explode":true}]}"#,
        ],
    },
    Case {
        name: "collectionFormat of Swagger 2",
        text: "swagger: '2.0'\nbasePath: /v3\npaths: {/notes: {get: {operationId: list, parameters: [{name: a, in: query, type: array}, {name: b, in: query, type: array, collectionFormat: multi}, {name: c, in: query, type: array, collectionFormat: pipes}]}}}",
        operations: &[
            r#"{"id":"list","method":"GET","path":"/v3/notes","parameters":[{"name":"a","in":"query","kind":"array","explode":false},{"name":"b","in":"query","kind":"array"},{"name":"c","in":"query","kind":"array","style":"pipeDelimited"}]}"#,
        ],
    },
    Case {
        name: "a parameter with content takes the text of that content",
        text: "paths: {/v3/notes: {get: {operationId: list, parameters: [{name: filter, in: query, content: {application/json: {schema: {type: object}}}}]}}}",
        operations: &[
            r#"{"id":"list","method":"GET","path":"/v3/notes","parameters":[{"name":"filter","in":"query"}]}"#,
        ],
    },
    Case {
        name: "a body among the parameters, as in Swagger 2",
        text: "paths: {/v3/notes: {post: {operationId: add, consumes: [application/json], parameters: [{name: body, in: body, schema: {$ref: '#/definitions/Note'}}]}}}\ndefinitions: {Note: {required: [title], properties: {title: {type: string}}}}",
        operations: TITLE,
    },
    Case {
        name: "form fields and files among the parameters, as in Swagger 2",
        text: "paths: {/v3/notes: {post: {operationId: add, parameters: [{name: title, in: formData, type: string}, {name: file, in: formData, type: file, required: true}]}}}",
        operations: &[
            r#"{"id":"add","method":"POST","path":"/v3/notes","body":{"required":true,"forms":[{"type":"multipart/form-data","required":{"file":{"binary":"string"}},"optional":{"title":"string"}}]}}"#,
        ],
    },
    Case {
        name: "a body without a media type",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {schema: {required: title, properties: {title: {type: string}}}}}}}",
        operations: TITLE,
    },
    Case {
        name: "a media type in capitals and with parameters",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {'Application/JSON; charset=utf-8': {schema: {type: object, required: [title], properties: {title: {type: string}}}}}}}}}",
        operations: TITLE,
    },
    Case {
        name: "any media type",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {'*/*': {schema: {required: [title], properties: {title: {type: string}}}}}}}}}",
        operations: TITLE,
    },
    Case {
        name: "required on the property itself",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {application/json: {schema: {properties: {title: {type: string, required: true}}}}}}}}}",
        operations: TITLE,
    },
    Case {
        name: "allOf with one member",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {$ref: '#/components/requestBodies/B'}}}}\ncomponents: {requestBodies: {B: {content: {application/json: {schema: {allOf: [{$ref: '#/components/schemas/N'}]}}}}}, schemas: {N: {required: [title], properties: {title: {type: string}}}}}",
        operations: TITLE,
    },
    Case {
        name: "a composition is free",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {application/json: {schema: {oneOf: [{properties: {a: {}}}, {properties: {b: {}}}]}}}}}}}",
        operations: FREE,
    },
    Case {
        name: "a body in another file is free",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {application/json: {schema: {$ref: 'other.yml#/Note'}}}}}}}",
        operations: FREE,
    },
    Case {
        name: "a body without a schema, or with content that is null",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {application/json: null}}}}}",
        operations: FREE,
    },
    Case {
        name: "a schema that refers to itself",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/N'}}}}}}}\ncomponents: {schemas: {N: {properties: {parent: {$ref: '#/components/schemas/N'}, children: {type: array, items: {$ref: '#/components/schemas/N'}}}}}}",
        operations: &[
            r#"{"id":"add","method":"POST","path":"/v3/notes","body":{"forms":[{"type":"application/json","optional":{"children":"array","parent":"object"}}]}}"#,
        ],
    },
    Case {
        name: "anchors, aliases and merge keys",
        text: "x: &p {name: limit, in: query}\npaths: {/v3/notes: {get: {operationId: list, parameters: [{<<: *p, schema: {type: integer}}]}}}",
        operations: LIMIT,
    },
    Case {
        name: "tags of another tool",
        text: "paths: {/v3/notes: {get: !Sub {operationId: !Ref list}}}",
        operations: PLAIN,
    },
    Case {
        name: "a required name that is not described may be given, and need not",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {required: 'true', content: {application/json: {schema: {required: [title, titel], properties: {title: {type: string}, id: {type: string, readOnly: true}}}}}}}}}",
        operations: &[
            r#"{"id":"add","method":"POST","path":"/v3/notes","body":{"required":true,"forms":[{"type":"application/json","open":true,"required":{"title":"string"},"optional":{"id":"string"}}]}}"#,
        ],
    },
    Case {
        name: "additional properties",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {application/json: {schema: {properties: {a: {type: number}}, additionalProperties: {type: string}}}}}}}}",
        operations: &[
            r#"{"id":"add","method":"POST","path":"/v3/notes","body":{"forms":[{"type":"application/json","open":true,"optional":{"a":"number"}}]}}"#,
        ],
    },
    Case {
        name: "several media types: JSON comes first",
        text: "paths: {/v3/notes: {post: {operationId: add, requestBody: {content: {application/octet-stream: {}, application/x-www-form-urlencoded: {}, multipart/form-data: {}, application/json: {}}}}}}",
        operations: &[
            r#"{"id":"add","method":"POST","path":"/v3/notes","body":{"forms":[{"type":"application/json"},{"type":"multipart/form-data"},{"type":"application/x-www-form-urlencoded"},{"type":"application/octet-stream"}]}}"#,
        ],
    },
];

#[test]
fn sloppy_files_come_out_as_they_were_meant() {
    let mut failures = 0;
    for case in CASES {
        let index = Resource::from_openapi("notes", case.text.as_bytes()).map(|resource| resource.to_index());
        let lines: Result<Vec<_>, _> = index.as_ref().map(|index| {
            index
                .lines()
                .filter(|line| line.starts_with("{\"id\""))
                .map(|line| line.trim_end_matches(','))
                .collect()
        });
        if !matches!(&lines, Ok(lines) if *lines == case.operations) {
            failures += 1;
            println!("{}:\n  {lines:?}\n  {:?}", case.name, case.operations);
        }
    }
    assert_eq!(failures, 0, "of {}", CASES.len());
}

#[test]
fn files_in_utf_16_and_with_wrong_bytes_are_read() {
    let text = "paths: {/v3/notes: {get: {operationId: list}}}";
    let little: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let big: Vec<u8> =
        [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let latin = [b"info: {title: caf\xe9}\n".as_slice(), text.as_bytes()].concat();
    for bytes in [little, big, latin] {
        assert!(Resource::from_openapi("notes", &bytes).unwrap().operation("list").is_ok());
    }
}

#[test]
fn what_is_left_out_is_noted() {
    let text = "paths: {/v3/notes: {get: {operationId: list, parameters: [{$ref: 'other.yml#/x'}]}}, /v3/o: {$ref: o.yml}}";
    let resource = Resource::from_openapi("notes", text.as_bytes()).unwrap();
    assert_eq!(resource.notes().len(), 2, "{:?}", resource.notes());
    assert!(resource.notes()[0].contains("other.yml"));
}

#[test]
fn an_id_of_several_operations_is_none_and_says_so() {
    let text = "paths: {/v3/a: {get: {operationId: same}, post: {operationId: same}}, /v3/b: {get: {operationId: b}}}";
    let resource = Resource::from_openapi("notes", text.as_bytes()).unwrap();
    let error = resource.operation("same").unwrap_err();
    assert!(error.to_string().contains("get_a for GET /v3/a, post_a for POST /v3/a"), "{error}");
    let ClientError::UnknownOperation(error) = error else { panic!("{error}") };
    assert!(matches!(*error, UnknownOperation::Ambiguous { candidates, .. } if candidates.len() == 2));
    assert!(resource.operation("get_a").is_ok() && resource.operation("b").is_ok());
}
