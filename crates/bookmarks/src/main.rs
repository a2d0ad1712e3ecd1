//! The program of the service.

use bookmarks::Bookmarks;

tapisservice::main!(service: Bookmarks);
