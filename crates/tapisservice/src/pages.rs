//! The pages of the repository, so that their examples run as tests. The page about the client is in the client.

#[doc = include_str!("../../../README.md")]
struct Readme;

#[doc = include_str!("../../../CONTRIBUTING.md")]
struct Contributing;

#[doc = include_str!("../../../docs/ARCHITECTURE.md")]
struct Architecture;

#[doc = include_str!("../../../docs/COMPILER.md")]
struct Compiler;

#[doc = include_str!("../../../docs/CONFIGURATION.md")]
struct Configuration;

#[doc = include_str!("../../../docs/DATABASE.md")]
struct Database;

#[doc = include_str!("../../../docs/ERRORS.md")]
struct Errors;

#[doc = include_str!("../../../docs/LOGGING.md")]
struct Logging;

#[doc = include_str!("../../../docs/OPERATIONS.md")]
struct Operations;

#[doc = include_str!("../../../docs/PERFORMANCE.md")]
struct Performance;

#[doc = include_str!("../../../docs/PORTING.md")]
struct Porting;

#[doc = include_str!("../../../docs/PROMISES.md")]
struct Promises;

#[doc = include_str!("../../../docs/PROTOCOL.md")]
struct Protocol;

#[doc = include_str!("../../../docs/ROUTES.md")]
struct RoutesAndLimits;

#[doc = include_str!("../../../docs/SECURITY.md")]
struct Security;

#[doc = include_str!("../../../docs/TEMPLATE.md")]
struct Template;

#[cfg(feature = "testing")]
#[doc = include_str!("../../../docs/TESTING.md")]
struct Testing;
