-- A page of people leaves out those that the provisioner has removed.
CREATE INDEX scim_record_removed ON scim_record (kind, id) WHERE removed = 1;
