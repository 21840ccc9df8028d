//! Every check's targets and the misleading servers, as real or in-memory servers.
