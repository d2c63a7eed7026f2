import pulumi

from lotus_infra import program

pulumi.run(program.run)
