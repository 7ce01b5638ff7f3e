"""Writes the files of a seed's write_files with cloud-init's own code."""

import yaml
from cloudinit.config.cc_write_files import write_files

with open("/seed/user-data", encoding="utf-8") as stream:
    config = yaml.safe_load(stream)
write_files("write_files", config["write_files"], "root:root")
