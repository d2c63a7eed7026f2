from lotus_infra import program

program.run()
